"""What waits for the poster: bounded, in order for each sender, and fair between senders."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """What the queue needs to know of an item."""

    @property
    def scope(self) -> str:
        """Who sent it."""
        ...

    @property
    def weight(self) -> int:
        """How many transfers it asks for."""
        ...


W = TypeVar("W", bound=Waiting)


class QueueFull(Exception):
    """There is no room for another item."""


class FairQueue(Generic[W]):
    """Items by sender; `take` goes round the senders, so that a flood from one delays only that one."""

    def __init__(self, *, max_items: int, max_weight: int) -> None:
        self._max_items, self._max_weight = max_items, max_weight
        self._by_scope: dict[str, deque[W]] = {}
        self._round: deque[str] = deque()
        self._not_empty = asyncio.Event()
        self.items = 0
        self.weight = 0

    def put(self, item: W) -> None:
        """Add an item behind those of the same sender. Raises `QueueFull`."""
        if self.items >= self._max_items or (self.items and self.weight + item.weight > self._max_weight):
            raise QueueFull
        self._line(item.scope).append(item)
        self._count(item, 1)

    def put_back(self, items: Sequence[W]) -> None:
        """Put items that were taken in front of everything else, whatever the bounds."""
        for item in reversed(items):
            self._line(item.scope).appendleft(item)
            self._count(item, 1)
        first = dict.fromkeys(item.scope for item in items)
        self._round = deque([*first, *(scope for scope in self._round if scope not in first)])

    def remove(self, unwanted: Callable[[W], bool]) -> list[W]:
        """Take out every item that is `unwanted`."""
        removed: list[W] = []
        for scope, line in list(self._by_scope.items()):
            removed += (found := [item for item in line if unwanted(item)])
            if len(found) == len(line):
                del self._by_scope[scope]
            elif found:
                self._by_scope[scope] = deque(item for item in line if not unwanted(item))
        for item in removed:
            self._count(item, -1)
        self._round = deque(scope for scope in self._round if scope in self._by_scope)
        return removed

    async def wait(self) -> None:
        """Return once there is something to take."""
        await self._not_empty.wait()

    def take(self, *, max_items: int, max_weight: int) -> list[W]:
        """Up to `max_items`, one of each sender in turn, within `max_weight` unless the first alone is heavier."""
        taken: list[W] = []
        weight = 0
        while self._round and len(taken) < max_items:
            line = self._by_scope[self._round[0]]
            weight += line[0].weight
            if taken and weight > max_weight:
                break
            item = line.popleft()
            taken.append(item)
            self._count(item, -1)
            self._round.rotate(-1)
            if not line:
                del self._by_scope[item.scope]
                self._round.pop()
        return taken

    def _line(self, scope: str) -> deque[W]:
        line = self._by_scope.get(scope)
        if line is None:
            line = self._by_scope[scope] = deque()
            self._round.append(scope)
        return line

    def _count(self, item: W, by: int) -> None:
        self.items += by
        self.weight += by * item.weight
        if self.items:
            self._not_empty.set()
        else:
            self._not_empty.clear()
