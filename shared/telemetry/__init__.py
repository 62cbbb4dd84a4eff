"""What operators see: logs as JSON lines, Prometheus metrics, W3C trace context."""
