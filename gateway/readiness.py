"""Whether the gateway should get requests, and how each service is."""

import time
from collections.abc import Callable, Mapping

from gateway.edge import Edge

_START_SECONDS = 60.0


class Readiness:
    """Ready once every service has been up, or a minute after the start.

    From then on a service that goes away makes the platform `degraded`, not the gateway unready: taking every gateway out
    because one service is down would turn a part's failure into the whole platform's.
    """

    def __init__(self, edge: Edge, clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._clock = clock
        self._started_at = clock()
        self._not_seen = set(edge.upstreams.by_name)

    async def state(self) -> tuple[int, dict[str, object]]:
        """The HTTP status, and the document: `status` is ready, degraded, starting, unavailable or draining."""
        states = await self._edge.upstreams.states()
        up = {name for name, state in states.items() if state["state"] == "up"}
        self._not_seen -= up
        word = self._word(up, states)
        return (200 if word in ("ready", "degraded") else 503), {"status": word, "checks": states}

    def _word(self, up: set[str], states: Mapping[str, object]) -> str:
        if self._edge.draining.is_set():
            return "draining"
        if len(up) == len(states):
            return "ready"
        if not up:
            return "unavailable"
        if self._not_seen and self._clock() - self._started_at < _START_SECONDS:
            return "starting"
        return "degraded"
