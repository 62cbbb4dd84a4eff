"""How often a request may be tried again. Pure.

When a service is in trouble, every client and every proxy that tries again makes it worse. So retries are paid for from a
budget that answered requests fill: one retry for five of them. In good times each lost request gets its second try; in bad
times the load grows by a fifth at most.
"""

_EACH = 0.2
_MOST = 10.0


class RetryBudget:
    """The budget of one service."""

    def __init__(self) -> None:
        self._left = _MOST

    def earn(self) -> None:
        """The service has answered a request."""
        self._left = min(_MOST, self._left + _EACH)

    def spend(self) -> bool:
        """Whether one more request may be tried again."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
