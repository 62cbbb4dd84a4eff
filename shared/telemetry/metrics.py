"""The Prometheus metrics that every service has; those of HTTP are in `http_metrics`.

Names follow Prometheus' rules: base units, `_total` for counters.
"""

from prometheus_client import Counter, Gauge

OUTBOX_UNPUBLISHED = Gauge("lendery_outbox_unpublished_messages", "Messages waiting in the outbox", ["service"])
OUTBOX_LAG_SECONDS = Gauge("lendery_outbox_lag_seconds", "Age of the oldest message waiting in the outbox", ["service"])
MESSAGES_HANDLED = Counter("lendery_messages_handled_total", "Messages given to a consumer", ["service", "type", "outcome"])
QUEUE_DEPTH = Gauge("lendery_queue_depth_messages", "Messages waiting in a consumer's queue", ["queue"])
JOB_RUNS = Counter("lendery_job_runs_total", "Runs of background jobs", ["service", "job", "outcome"])
