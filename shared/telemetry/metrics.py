"""The Prometheus metrics that every service has. Names follow Prometheus' rules: base units, `_total` for counters."""

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

HTTP_REQUESTS = Counter("lendery_http_requests_total", "HTTP requests answered", ["service", "method", "route", "status"])
HTTP_SECONDS = Histogram(
    "lendery_http_request_duration_seconds",
    "Time from the first byte of a request to the end of its answer",
    ["service", "method", "route"],
    buckets=_LATENCY_BUCKETS,
)
HTTP_IN_FLIGHT = Gauge("lendery_http_requests_in_flight", "HTTP requests being answered", ["service"])
OUTBOX_UNPUBLISHED = Gauge("lendery_outbox_unpublished_messages", "Messages waiting in the outbox", ["service"])
OUTBOX_LAG_SECONDS = Gauge("lendery_outbox_lag_seconds", "Age of the oldest message waiting in the outbox", ["service"])
MESSAGES_HANDLED = Counter("lendery_messages_handled_total", "Messages given to a consumer", ["service", "type", "outcome"])
QUEUE_DEPTH = Gauge("lendery_queue_depth_messages", "Messages waiting in a consumer's queue", ["queue"])
JOB_RUNS = Counter("lendery_job_runs_total", "Runs of background jobs", ["service", "job", "outcome"])
