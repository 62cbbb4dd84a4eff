"""Databases that are used again: emptied between two tests instead of dropped and cloned, in a tenth of the time.

A database goes to one test at a time and under a new name each time, so that whoever still knows the old name cannot
reach it. Before it is given out again everybody is disconnected, the rows are those of the template, the sequences begin
where the template's do, and the catalogs (tables, columns, triggers and whether they are on, functions, constraints,
grants, settings) are what they were. If they are not, or if anything goes wrong, the database is dropped and a clone
takes its place: the pool may be slow, never wrong.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from io import BytesIO

import asyncpg
from sqlalchemy.engine import make_url

from tests.support import catalogs
from tests.support.postgres import Server, connect
from tests.support.run import database_name

_SPARE = 2
"""A database rests while another is used: whoever is still connected has left by the time it is needed."""

_MOST_USES = 150
_MOST_ROWS = 20_000
"""Deleted rows leave their space behind; after so many a clone is quicker."""

_DISCONNECT_SECONDS = 5.0


class _Unfit(Exception):
    """This database cannot be given out again."""


@dataclass
class _Pooled:
    name: str
    uses: int = 1
    rows_deleted: int = 0


@dataclass(frozen=True)
class _Original:
    """What a clone holds before anybody uses it."""

    fingerprint: str
    tables: list[str]
    rows: dict[str, tuple[str, bytes]]
    """Table -> digest and content (COPY, binary), of tables that are not empty."""
    sequences: dict[str, tuple[int, bool]]


@dataclass
class DatabasePool:
    """Databases that begin as copies of `template`. `kind` is part of their names."""

    server: Server
    template: str
    kind: str
    cloned: int = 0
    reused: int = 0
    _free: deque[_Pooled] = field(default_factory=deque)
    _used: dict[str, _Pooled] = field(default_factory=dict)
    _original: _Original | None = None

    async def take(self) -> str:
        """The name of a database that is as the template is and belongs to the caller until `give_back`."""
        database = await self._again() or await self._clone()
        self._used[database.name] = database
        return database.name

    def give_back(self, name: str) -> None:
        """The test is over. What it left is looked at only when the database is needed again."""
        self._free.append(self._used.pop(name))

    async def close(self) -> None:
        """Drop every database of this pool."""
        for database in (*self._free, *self._used.values()):
            await self.server.drop(database.name)
        self._free.clear()
        self._used.clear()

    def url(self, name: str) -> str:
        """The address of the database `name`."""
        return make_url(self.server.url).set(database=name).render_as_string(hide_password=False)

    async def _clone(self) -> _Pooled:
        name = database_name(self.kind)
        await self.server.clone(self.template, name)
        self.cloned += 1
        if self._original is None:
            connection = await connect(self.url(name))
            try:
                self._original = await _read_original(connection)
            finally:
                await connection.close()
        return _Pooled(name)

    async def _again(self) -> _Pooled | None:
        if len(self._free) < _SPARE:
            return None
        database = self._free.popleft()
        try:
            await self._renew(database)
        except (_Unfit, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            await self.server.drop(database.name)
            return None
        self.reused += 1
        return database

    async def _renew(self, database: _Pooled) -> None:
        if database.uses >= _MOST_USES or database.rows_deleted >= _MOST_ROWS:
            raise _Unfit("it is worn out")
        database.uses += 1
        database.name = await self._disconnect_and_rename(database.name)
        connection = await connect(self.url(database.name))
        try:
            assert self._original is not None
            database.rows_deleted += await _restore(connection, self._original)
        finally:
            await connection.close()

    async def _disconnect_and_rename(self, name: str) -> str:
        new = database_name(self.kind)
        connection = await connect(self.server.url)
        try:
            deadline = asyncio.get_running_loop().time() + _DISCONNECT_SECONDS
            while await connection.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name):
                if asyncio.get_running_loop().time() > deadline:
                    raise _Unfit("somebody comes back again and again")
                await asyncio.sleep(0.005)
            await connection.execute(f'ALTER DATABASE "{name}" RENAME TO "{new}"')  # refused while anybody is connected
        finally:
            await connection.close()
        return new


async def _read_original(connection: asyncpg.Connection) -> _Original:
    rows: dict[str, tuple[str, bytes]] = {}
    tables = await catalogs.tables(connection)
    for table in await catalogs.with_rows(connection, tables):
        content = BytesIO()
        await connection.copy_from_query(f"SELECT * FROM {table}", output=content, format="binary")
        rows[table] = await catalogs.digest(connection, table), content.getvalue()
    return _Original(await catalogs.fingerprint(connection), tables, rows, await catalogs.sequences(connection))


async def _restore(connection: asyncpg.Connection, original: _Original) -> int:
    """Bring the database back to `original`; how many rows that deleted."""
    deleted = 0
    async with connection.transaction():
        # Append-only tables refuse a DELETE by their triggers; as a replica those are asleep, and foreign keys too.
        await connection.execute("SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '3s'")
        found = await catalogs.with_rows(connection, original.tables)
        for table in found:
            if table in original.rows and await catalogs.digest(connection, table) == original.rows[table][0]:
                continue
            deleted += int((await connection.execute(f"DELETE FROM {table}")).split()[-1])
        for table in original.rows:
            await _fill(connection, table, original)
        left = await catalogs.with_rows(connection, [table for table in found if table not in original.rows])
        if left:
            raise _Unfit(f"{left} cannot be emptied")
        now = await catalogs.sequences(connection)
        for name, (value, called) in original.sequences.items():
            if now.get(name) != (value, called):
                await connection.execute("SELECT setval($1::text::regclass, $2, $3)", name, value, called)
    if await catalogs.fingerprint(connection) != original.fingerprint:
        raise _Unfit("its tables, functions, triggers or grants were changed")
    return deleted


async def _fill(connection: asyncpg.Connection, table: str, original: _Original) -> None:
    digest, content = original.rows[table]
    if await catalogs.digest(connection, table) == digest:
        return
    schema, name = await connection.fetchrow(
        "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE oid = $1::text::regclass", table
    )
    await connection.copy_to_table(name, schema_name=schema, source=BytesIO(content), format="binary")
    if await catalogs.digest(connection, table) != digest:
        raise _Unfit(f"{table} has not the rows of the template")
