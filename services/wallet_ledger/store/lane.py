"""One lane of the poster: a connection, and the batches that go over it.

Two lanes share a `Pipeline`, so that Python and PostgreSQL work at the same time. While one lane's batch is being written and
committed, which is one statement, the other lane decides its own batch on what the ledger will be once the first is committed,
reads what of that it does not know yet (`known_ledger`), and sends it, too: it waits in the database for its turn. Its statement
writes nothing unless the ledger is then just there, at the last transaction of the batch before. If it is not (another process
posts too, or the batch before failed), the batch is done again *carefully*: the lock first, then everything else under it.

When a connection breaks, nobody knows whether its last commit happened. The batch goes back to the front of the queue and is
done again: by then the broken transaction is over one way or the other, and the keys say which.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from services.wallet_ledger.domain.book import BatchResult
from services.wallet_ledger.domain.ledger import run_batch
from services.wallet_ledger.domain.transaction import Outcome, Refused, Transaction
from services.wallet_ledger.store import poster_metrics as metrics
from services.wallet_ledger.store.announcements import SOURCE, Announce, Origin, OutboxRow, announcements
from services.wallet_ledger.store.batch_writer import StaleBook, Write, write, write_of
from services.wallet_ledger.store.book_reader import read_book
from services.wallet_ledger.store.fair_queue import FairQueue
from services.wallet_ledger.store.known_ledger import KnownLedger
from services.wallet_ledger.store.ledger_statements import LOCK_CLASS, SESSION
from shared.clock import Clock
from shared.db.database import Database, server_settings
from shared.messaging.outbox import channel_of

_log = logging.getLogger(__name__)

# The connection is gone, or the server will do later what it cannot do now: the same batch can be tried again.
_PASSING = (
    OSError,
    TimeoutError,
    StaleBook,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CAREFUL_BATCHES = 16
"""After another process was met, so many batches are done carefully before hoping to be alone again."""
_ASKING_BATCHES = 64
"""After a key from long ago was met, so many batches ask for keys beforehand: who sends one may well send more."""
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 2.0


class TransactionRefused(Exception):
    """The key or the id of the transaction belongs to another one; `refused` says which."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


@dataclass(slots=True, eq=False)
class Request:
    """A transaction on its way, and whoever waits for its outcome."""

    transaction: Transaction
    announce: Announce | None
    origin: Origin
    answer: asyncio.Future[Outcome]
    give_up_at: float

    @property
    def scope(self) -> str:
        """Who sent it."""
        return self.transaction.scope

    @property
    def weight(self) -> int:
        """How many transfers it asks for, as far as can be seen."""
        return len(self.transaction.entries)

    def settle(self, outcome: Outcome | Refused | Exception) -> None:
        """Tell the caller, who may have left."""
        if self.answer.done():
            return
        if isinstance(outcome, Refused):
            self.answer.set_exception(TransactionRefused(outcome))
        elif isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Plan:
    """A batch that is decided. It can be written only if the plan that it follows, if any, is committed.

    `known` is what the next one can begin with.
    """

    result: BatchResult
    write: Write
    known: KnownLedger
    follows: "_Plan | None" = None
    committed: bool = False
    id_is_taken: bool = False


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class Pipeline:
    """What the lanes of one poster share: one prepares at a time, and the next one's batch goes out after its own."""

    queue: FairQueue[Request]
    shard: int
    batch_transactions: int
    batch_transfers: int
    preparing: asyncio.Lock = field(default_factory=asyncio.Lock)
    under_way: _Plan | None = None
    over: asyncio.Event = field(default_factory=_set_event)
    """Set once the last batch that was taken is done, one way or the other."""
    writers: int = 0
    careful_batches: int = 0
    asking_batches: int = 0

    def take(self) -> list[Request]:
        """The next batch. With nothing being written, half of what waits: the other half is for the other lane."""
        waiting = self.queue.items if self.writers else (self.queue.items + 1) // 2
        taken = self.queue.take(max_items=min(self.batch_transactions, waiting), max_weight=self.batch_transfers)
        return [request for request in taken if not request.answer.done()]


class Lane:
    """Takes batches from the queue and posts them, until cancelled."""

    def __init__(self, database: Database, clock: Clock, pipeline: Pipeline) -> None:
        self._database = database
        self._clock = clock
        self._pipeline = pipeline
        self._begin = f"BEGIN; SELECT pg_advisory_xact_lock({LOCK_CLASS}, {pipeline.shard})"
        self._connection: asyncpg.Connection | None = None
        self._batch: list[Request] = []

    async def run(self) -> None:
        """Post batch after batch. Trouble with the server is waited out; the batch that met it is tried again."""
        failures = 0
        try:
            while True:
                try:
                    await self._post_next()
                    failures = 0
                except Exception as trouble:
                    failures += 1
                    _log.warning("posting failed; trying again", extra={"error": type(trouble).__name__})
                    self._let_go()
                    await asyncio.sleep(min(_PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE_SECONDS))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Put back what is not settled, drop the connection, and answer those who have waited too long."""
        self._pipeline.under_way = None
        self._pipeline.queue.put_back([request for request in self._batch if not request.answer.done()])
        self._batch = []
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connect(self) -> asyncpg.Connection:
        database = self._database
        settings = server_settings(database.schema, database.role) | SESSION
        settings["application_name"] = "lendery-wallet_ledger-poster"
        return await asyncpg.connect(database.dsn, timeout=10, command_timeout=60, server_settings=settings)

    async def _post_next(self) -> None:
        pipeline = self._pipeline
        async with pipeline.preparing:
            await pipeline.queue.wait()
            if self._connection is None:
                self._connection = await self._connect()
            if pipeline.under_way is None:
                await pipeline.over.wait()  # nothing is known of what is under way, so nothing can be decided on it
            self._batch = pipeline.take()
            plan = pipeline.under_way = await self._hopeful_plan()
            before, pipeline.over = pipeline.over, asyncio.Event()
            over = pipeline.over
        # From here to the socket nothing waits, so the other lane's batch reaches the server after this one.
        started = asyncio.get_running_loop().time()
        pipeline.writers += 1
        try:
            if plan is None or not await self._write_hopefully(plan, before):
                pipeline.under_way = None
                await before.wait()  # who sent both has them done in order
                await self._post_carefully(self._batch, ids=plan is not None and plan.id_is_taken)
        finally:
            pipeline.writers -= 1
            over.set()
        if plan is not None and plan.committed:
            self._settle(self._batch, plan, started)
            await asyncio.sleep(0)  # who was answered may ask again at once, and is to be in the next batch

    async def _hopeful_plan(self) -> _Plan | None:
        """The batch decided ahead of its turn; None when it is to be done carefully."""
        pipeline = self._pipeline
        if pipeline.careful_batches:
            pipeline.careful_batches -= 1
            return None
        try:
            return await self._plan(self._batch, pipeline.under_way)
        except Exception as fault:
            if _passes(fault):
                raise
            return None

    async def _plan(self, batch: Sequence[Request], follows: _Plan | None, *, ids: bool = False) -> _Plan:
        transactions = [request.transaction for request in batch]
        known, under_way, keys = KnownLedger(), None, True
        if follows is not None:
            known, under_way, keys = follows.known, follows.result, self._pipeline.asking_batches > 0
            self._pipeline.asking_batches -= keys
        book = await read_book(self._connection, transactions, known, under_way=under_way, keys=keys, ids=ids)
        result = run_batch(book, transactions, self._clock.now())
        first = {request.transaction.id: request for request in reversed(batch)}
        requests = [first[recorded.transaction.id] for recorded in result.recorded]
        messages = _messages([recorded.outcome for recorded in result.recorded], requests)
        origins = [request.origin for request in requests]
        after = known.last_id
        batch_write = write_of(result, after, origins, messages, shard=self._pipeline.shard, channel=channel_of(SOURCE))
        known.follow(result)
        return _Plan(result, batch_write, known, follows)

    async def _write_hopefully(self, plan: _Plan, before: asyncio.Event) -> bool:
        """Write a plan made ahead of its turn; false, and nothing written, when the ledger was not where it should be."""
        follows, plan.follows = plan.follows, None
        try:
            if plan.result.recorded:
                await write(self._connection, plan.write)
            elif follows is not None:
                # Nothing to write, but the outcomes may be those of the batch before.
                await before.wait()
                if not follows.committed:
                    return False
        except StaleBook:
            self._pipeline.careful_batches = _CAREFUL_BATCHES
            return False
        except Exception as fault:
            if _passes(fault):
                raise
            plan.id_is_taken = _is_taken(fault, "transactions_id_key")
            if _is_taken(fault, "transactions_idempotency_key"):
                self._pipeline.asking_batches = _ASKING_BATCHES
            return False
        plan.committed = True
        return True

    async def _post_carefully(self, batch: Sequence[Request], *, ids: bool = False) -> None:
        """Read, decide, write and commit under the ledger's lock. What cannot be written is sought out and fails alone.

        With `ids`, those whose id another transaction has are refused beforehand.
        """
        assert self._connection is not None  # noqa: S101
        started = asyncio.get_running_loop().time()
        await self._connection.execute(self._begin)
        try:
            plan = await self._plan(batch, None, ids=ids)
            if plan.result.recorded:
                await write(self._connection, plan.write)
            await self._connection.execute("COMMIT")
        except Exception as fault:
            if _passes(fault):
                raise
            await self._connection.execute("ROLLBACK")
            if not ids and _is_taken(fault, "transactions_id_key"):
                await self._post_carefully(batch, ids=True)
                return
            if len(batch) == 1:
                _log.exception("a transaction cannot be posted")
                batch[0].settle(fault)
                return
            middle = len(batch) // 2
            await self._post_carefully(batch[:middle], ids=ids)
            await self._post_carefully(batch[middle:], ids=ids)
            return
        self._settle(batch, plan, started)

    def _settle(self, batch: Sequence[Request], plan: _Plan, started: float) -> None:
        for request, outcome in zip(batch, plan.result.outcomes, strict=True):
            request.settle(outcome)
        metrics.batch_posted(plan.result, asyncio.get_running_loop().time() - started)
        metrics.WAITING.set(self._pipeline.queue.items)


def _passes(fault: Exception) -> bool:
    """Whether the same batch may go through later. The driver's complaint about an argument is an InterfaceError, too."""
    return isinstance(fault, _PASSING) and not isinstance(fault, ValueError)


def _is_taken(fault: Exception, constraint: str) -> bool:
    return isinstance(fault, asyncpg.UniqueViolationError) and fault.constraint_name == constraint


def _messages(outcomes: Sequence[Outcome], requests: Sequence[Request]) -> list[OutboxRow]:
    """What else to tell of the transactions that are recorded now, each with the request that recorded it."""
    rows: list[OutboxRow] = []
    for outcome, request in zip(outcomes, requests, strict=True):
        if request.announce is not None:
            rows.extend(announcements(outcome, request.origin, request.announce))
    return rows
