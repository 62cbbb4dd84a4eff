"""The relay: takes a service's messages out of its outbox, or from wherever else they stand, and hands them to the transport.

One relay of an outbox is at work at a time: it holds an advisory lock on its own connection, so when its process or
connection dies, another takes over. It is woken by NOTIFY and looks anyway every `poll_seconds`. Messages of one
partition key go one after the other in the order of the outbox; keys do not wait for each other, and a key whose message
the transport refuses waits alone. A row is marked only after the transport took the message: what was lost in between
is sent twice, never not at all.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import asyncpg

from shared.db.database import Database, server_settings
from shared.messaging.envelope import Envelope
from shared.messaging.failures import Retries, describe
from shared.messaging.outbox import channel_of
from shared.messaging.transport import Transport
from shared.telemetry import metrics

_log = logging.getLogger(__name__)

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('outbox relay ' || $1, 0))"
_CONNECTION_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass(frozen=True)
class RelayLimits:
    """How much at once, and how often. `keys_at_once` bounds the messages under way, one a key."""

    keys_at_once: int = 256
    rows_a_fetch: int = 500
    poll_seconds: float = 1.0
    lag_every_seconds: float = 5.0
    takeover_every_seconds: float = 1.0
    refused: Retries = Retries(first_delay_seconds=0.1, factor=2.0, longest_delay_seconds=15.0)


async def connect_for_relay(database: Database) -> Any:
    """A connection of its own, as the service's role, whose death is noticed by both ends within half a minute."""
    settings = {
        **server_settings(database.schema, database.role),
        "application_name": f"lendery-{database.schema}-relay",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    return await asyncpg.connect(database.dsn, server_settings=settings, timeout=10, command_timeout=20)


class Waiting(NamedTuple):
    """One message that is to be published. Those of one `partition_key` go in the order of their ids."""

    id: int
    partition_key: str
    consumer: str | None
    envelope: str


class MessageSource(Protocol):
    """Where messages wait. Everything runs on the relay's connection, and `begin` comes first on each new one."""

    name: str

    async def begin(self, connection: Any) -> None:
        """Another relay may have been at work since: forget what was known."""
        ...

    async def fetch(self, connection: Any, under_way: Sequence[str], limit: int) -> Sequence[Waiting]:
        """The next messages, oldest first, except those of the keys that are `under_way`."""
        ...

    async def mark(self, connection: Any, ids: Sequence[int]) -> None:
        """These are published and need never be again."""
        ...

    async def lag(self, connection: Any) -> tuple[int, float]:
        """How many wait, as far as it is of interest, and for how many seconds the oldest has."""
        ...


class OutboxSource:
    """The table `outbox` of a service."""

    # Rows of keys under way are left out, so a key that is stuck never hides the others.
    _FETCH = """
    SELECT id, partition_key, consumer, envelope::text FROM outbox
    WHERE published_at IS NULL AND partition_key <> ALL ($1::text[]) ORDER BY id LIMIT $2
    """
    _MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY ($1::bigint[])"
    # Counts no further than it is of interest, to stay cheap when there is a backlog.
    _LAG = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
    FROM (SELECT created_at FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 100000) AS rows
    """

    def __init__(self, schema: str) -> None:
        self.name = schema

    async def begin(self, connection: Any) -> None:
        """The table knows everything."""

    async def fetch(self, connection: Any, under_way: Sequence[str], limit: int) -> Sequence[Waiting]:
        """Rows that are not published."""
        return [Waiting(*row) for row in await connection.fetch(self._FETCH, under_way, limit)]

    async def mark(self, connection: Any, ids: Sequence[int]) -> None:
        """Note when."""
        await connection.execute(self._MARK, ids)

    async def lag(self, connection: Any) -> tuple[int, float]:
        """Of the rows."""
        waiting, seconds = await connection.fetchrow(self._LAG)
        return waiting, seconds


class Relay:
    """The messages of `schema` on their way from `source` to `transport`. `run` it as a task; `stop` ends that."""

    def __init__(
        self,
        schema: str,
        connect: Callable[[], Awaitable[Any]],
        transport: Transport,
        *,
        source: MessageSource | None = None,
        limits: RelayLimits | None = None,
    ) -> None:
        self._schema = schema
        self._source = source or OutboxSource(schema)
        self._connect = connect
        self._transport = transport
        self._limits = limits or RelayLimits()
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._published: list[int] = []
        self._ended: list[str] = []
        self._failures: dict[str, int] = {}
        self._lag_due = 0.0
        self.leading = False

    async def run(self) -> None:
        """Relay until stopped, whatever happens to the database in between."""
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._lead_once()
                failures = 0
            except Exception as error:
                failures += 1
                _log.warning(
                    "relay begins anew",
                    extra={"service": self._source.name, "error": describe(error)},
                    exc_info=not isinstance(error, _CONNECTION_TROUBLE),
                )
                await self._pause(self._limits.refused.delay_seconds(failures))

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Take no more rows, give messages under way `drain_seconds`, mark what was published, and let `run` return."""
        self._stopping.set()
        self._wake.set()
        lanes = list(self._lanes.values())
        if lanes:
            _, late = await asyncio.wait(lanes, timeout=drain_seconds)
            for lane in late:
                lane.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _lead_once(self) -> None:
        """Wait for the lock, then relay until stopped. Raises when the connection fails."""
        connection = await self._connect()
        try:
            while not await connection.fetchval(_LOCK, self._source.name):
                if await self._pause(self._limits.takeover_every_seconds):
                    return
            await connection.add_listener(channel_of(self._schema), lambda *_: self._wake.set())
            connection.add_termination_listener(lambda *_: self._wake.set())
            await self._source.begin(connection)
            self.leading = True
            await self._relay(connection)
        finally:
            self.leading = False
            metrics.OUTBOX_UNPUBLISHED.labels(self._source.name).set(0)
            metrics.OUTBOX_LAG_SECONDS.labels(self._source.name).set(0)
            await _close(connection)

    async def _relay(self, connection: Any) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            await self._mark(connection)
            started = await self._start_lanes(connection)
            await self._measure(connection)
            if not started:
                await _wait(self._wake, self._limits.poll_seconds)
        if self._lanes:
            await asyncio.wait(list(self._lanes.values()))
        await self._mark(connection)

    async def _start_lanes(self, connection: Any) -> bool:
        """Fetch rows of keys that rest, and start a lane for each key; whether there were any."""
        free = self._limits.keys_at_once - len(self._lanes)
        if free <= 0:
            return False
        rows = await self._source.fetch(connection, list(self._lanes), self._limits.rows_a_fetch)
        lanes: dict[str, list[Waiting]] = {}
        for row in rows:
            if row.partition_key in lanes or len(lanes) < free:
                lanes.setdefault(row.partition_key, []).append(row)
        for key, waiting in lanes.items():
            self._lanes[key] = asyncio.create_task(self._publish_in_order(key, waiting), name=f"relay {self._source.name}")
        return bool(lanes)

    async def _publish_in_order(self, key: str, rows: Sequence[Waiting]) -> None:
        """Publish the rows of one key, stopping at the first that is refused; the next fetch begins with that one."""
        try:
            for row in rows:
                if self._stopping.is_set() or not self.leading:
                    break
                try:
                    await self._transport.publish(Envelope.from_json(row.envelope), consumer=row.consumer)
                except Exception as error:
                    await self._refused(key, row, error)
                    break
                self._failures.pop(key, None)
                self._published.append(row.id)
                self._wake.set()
        finally:
            self._ended.append(key)
            self._wake.set()

    async def _refused(self, key: str, row: Waiting, error: Exception) -> None:
        self._failures[key] = self._failures.get(key, 0) + 1
        _log.warning(
            "message stays in the outbox and will be published again",
            extra={"service": self._source.name, "outbox_id": row.id, "error": describe(error)},
        )
        await self._pause(self._limits.refused.delay_seconds(self._failures[key]))

    async def _mark(self, connection: Any) -> None:
        """Mark what was published, and only then let the keys whose lanes have ended be fetched again."""
        ended, published = list(self._ended), list(self._published)
        if published:
            await self._source.mark(connection, published)
            del self._published[: len(published)]
        for key in ended:
            del self._lanes[key]
        del self._ended[: len(ended)]

    async def _measure(self, connection: Any) -> None:
        if time.monotonic() < self._lag_due:
            return
        self._lag_due = time.monotonic() + self._limits.lag_every_seconds
        waiting, seconds = await self._source.lag(connection)
        metrics.OUTBOX_UNPUBLISHED.labels(self._source.name).set(waiting)
        metrics.OUTBOX_LAG_SECONDS.labels(self._source.name).set(seconds)

    async def _pause(self, seconds: float) -> bool:
        """Wait; whether it was cut short because the relay is to stop."""
        return await _wait(self._stopping, seconds)


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=2)
    except _CONNECTION_TROUBLE:
        connection.terminate()
