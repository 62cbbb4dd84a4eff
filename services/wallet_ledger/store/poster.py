"""Group commit: everything that waits is posted together, in one short transaction, and each sender gets its own outcome.

The poster is a bounded queue that is fair between senders, and two lanes that post from it (`lane`). Several posters, in one
process or many, can work on the same ledger: they take turns.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from services.wallet_ledger.domain.problems import LedgerBusy, LedgerUnavailable
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store import poster_metrics as metrics
from services.wallet_ledger.store.announcements import Announce, Origin
from services.wallet_ledger.store.fair_queue import FairQueue, QueueFull
from services.wallet_ledger.store.lane import Lane, Pipeline, Request
from shared.clock import Clock
from shared.db.database import Database

_LANES = 2
_SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, slots=True)
class PosterLimits:
    """How much at once. Beyond `max_waiting` transactions, or transfers, callers are told to come back later."""

    batch_transactions: int = 500
    batch_transfers: int = 20_000
    max_waiting: int = 5_000
    max_waiting_transfers: int = 500_000
    give_up_seconds: float = 30.0


class Poster:
    """Posts transactions for everybody in this process. `start` before the first `post`, `stop` at the end."""

    def __init__(self, database: Database, clock: Clock, *, shard: int = 0, limits: PosterLimits | None = None) -> None:
        self._limits = limits or PosterLimits()
        self._queue: FairQueue[Request] = FairQueue(
            max_items=self._limits.max_waiting, max_weight=self._limits.max_waiting_transfers
        )
        pipeline = Pipeline(self._queue, shard, self._limits.batch_transactions, self._limits.batch_transfers)
        self._lanes = [Lane(database, clock, pipeline) for _ in range(_LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._open = False
        self._unanswered = 0
        self._idle = asyncio.Event()

    async def start(self) -> None:
        """Begin posting."""
        self._open = True
        self._tasks = [asyncio.create_task(lane.run(), name="ledger poster lane") for lane in self._lanes]
        self._tasks.append(asyncio.create_task(self._watch(), name="ledger poster watch"))

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Take nothing more, post what waits for at most `drain_seconds`, and tell the rest to ask again."""
        self._open = False
        if self._unanswered:
            self._idle.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), drain_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._give_up(float("inf"))

    async def post(self, transaction: Transaction, *, announce: Announce | None = None) -> Outcome:
        """The outcome of `transaction`, once it is committed: posted or rejected, or what its key stands for already.

        Raises `TransactionRefused` when its key or id belongs to another transaction, `LedgerBusy` when there is no room,
        and `LedgerUnavailable` when the outcome could not be learnt in time; asking again with the same key is then safe.
        """
        if not self._open:
            raise LedgerUnavailable("The ledger is stopping. Send the request again.", headers={"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._limits.give_up_seconds
        request = Request(transaction, announce, Origin.current(), loop.create_future(), give_up_at)
        try:
            self._queue.put(request)
        except QueueFull:
            metrics.TURNED_AWAY.inc()
            raise LedgerBusy("Send the request again in a second.", headers={"Retry-After": "1"}) from None
        self._unanswered += 1
        try:
            return await request.answer
        finally:
            self._unanswered -= 1
            if not self._unanswered:
                self._idle.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            self._give_up(asyncio.get_running_loop().time())

    def _give_up(self, now: float) -> None:
        """Tell those who have waited too long, and forget those who have left."""
        for request in self._queue.remove(lambda waiting: waiting.give_up_at <= now or waiting.answer.done()):
            request.settle(
                LedgerUnavailable(
                    "It is not known yet whether this went through. Send it again with the same key.",
                    headers={"Retry-After": "2"},
                )
            )
