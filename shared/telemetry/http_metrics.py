"""The metrics of HTTP requests: plain numbers while requests are answered, made into metrics when somebody asks for them.

prometheus_client's own counters and histograms take a lock for each number, so that threads may share them. Requests are
answered by one event loop, which needs no lock, and four of those a request are a twentieth of what the gateway costs.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_NAMES = (*map(str, _BUCKETS), "+Inf")


class _Histogram:
    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_NAMES)
        self.seconds = 0.0


class HttpMetrics(Collector):
    """How many requests, how long they took, and how many there are right now (`in_flight`, by service)."""

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str, str, str]] = Counter()
        self._durations: dict[tuple[str, str, str], _Histogram] = {}

    def observe(self, service: str, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. To be called by the event loop's thread alone."""
        self._requests[service, method, route, str(status)] += 1
        durations = self._durations.get((service, method, route))
        if durations is None:
            durations = self._durations[service, method, route] = _Histogram()
        durations.counts[bisect_left(_BUCKETS, seconds)] += 1
        durations.seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """What Prometheus reads."""
        requests = CounterMetricFamily(
            "lendery_http_requests", "HTTP requests answered", labels=("service", "method", "route", "status")
        )
        for labels, number in list(self._requests.items()):
            requests.add_metric(labels, number)
        yield requests
        durations = HistogramMetricFamily(
            "lendery_http_request_duration_seconds",
            "Time from the first byte of a request to the end of its answer",
            labels=("service", "method", "route"),
        )
        for names, found in list(self._durations.items()):
            durations.add_metric(names, list(zip(_NAMES, accumulate(found.counts), strict=True)), found.seconds)
        yield durations
        in_flight = GaugeMetricFamily("lendery_http_requests_in_flight", "HTTP requests being answered", labels=("service",))
        for service, number in list(self.in_flight.items()):
            in_flight.add_metric((service,), number)
        yield in_flight


HTTP = HttpMetrics()
REGISTRY.register(HTTP)
