"""One write use case a file: the only place that opens a unit of work."""
