"""Stops asking somebody who does not answer, so that they can recover and callers hear at once. Pure."""


class Breaker:
    """Opens after `failures` failures in a row; then lets one request through every `seconds`, until one succeeds."""

    def __init__(self, *, failures: int, seconds: float) -> None:
        self._threshold = failures
        self._seconds = seconds
        self._failures = 0
        self._next_try_at = 0.0

    @property
    def open(self) -> bool:
        """Whether most requests are refused now."""
        return self._failures >= self._threshold

    def wait_seconds(self, now: float) -> float:
        """0 when a request may go to the service now, else how long to wait. A request that may go must be tried."""
        if self._failures < self._threshold:
            return 0
        if now < self._next_try_at:
            return self._next_try_at - now
        self._next_try_at = now + self._seconds
        return 0

    def succeeded(self) -> None:
        """The service answered."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """The service could not be reached, broke off, or took too long."""
        self._failures += 1
        self._next_try_at = now + self._seconds
