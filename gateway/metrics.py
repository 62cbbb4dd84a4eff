"""What operators see of the edge, beside the request metrics that every app has."""

from prometheus_client import Counter, Gauge

UPSTREAM_FAILURES = Counter(
    "lendery_gateway_upstream_failures_total", "Requests that a service failed to answer", ["service", "kind"]
)
BREAKER_OPEN = Gauge("lendery_gateway_breaker_open", "1 while requests to the service are refused at the edge", ["service"])
RATE_LIMITED = Counter("lendery_gateway_rate_limited_total", "Requests refused because there were too many", ["limit"])
OVERLOADED = Counter("lendery_gateway_overloaded_total", "Requests refused because too many were being answered")
ABANDONED = Counter("lendery_gateway_abandoned_total", "Requests whose client left before the answer", ["service"])
