"""One service's way to PostgreSQL: an engine whose every connection acts as the service's own role."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


def role_of(schema: str, prefix: str = "lendery") -> str:
    """The database role that owns no table and reaches only `schema`."""
    return f"{prefix}_{schema}"


def server_settings(schema: str, role: str) -> dict[str, str]:
    """Startup parameters of every connection of a service, whichever driver opens it."""
    return {
        "role": role,
        "search_path": schema,
        "application_name": f"lendery-{schema}",
        "timezone": "UTC",
        "lock_timeout": "10s",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    }


_BURST = 6
"""Connections opened beyond the pool when many ask at once, and closed afterwards."""
_PLACE_SECONDS = 5.0
_PLACE_PAUSE_SECONDS = 0.1


async def _connect(*args: Any, **options: Any) -> asyncpg.Connection:
    """A connection; where the server has no place left for one, others give theirs back within moments, and it is waited for."""
    deadline = asyncio.get_running_loop().time() + _PLACE_SECONDS
    while True:
        try:
            return await asyncpg.connect(*args, **options)
        except asyncpg.TooManyConnectionsError:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(_PLACE_PAUSE_SECONDS)


class Database:
    """The engine of one service. Create one per process and service; `dispose` it at the end."""

    def __init__(self, url: str, *, schema: str, role: str | None = None, pool_size: int = 4) -> None:
        self.schema = schema
        self.role = role or role_of(schema)
        self._reader: asyncpg.Connection | None = None
        self._reading = asyncio.Lock()
        self.url: URL = make_url(url).set(drivername="postgresql+asyncpg")
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=max(pool_size, _BURST),
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and parameters are people's data
            connect_args={"server_settings": server_settings(schema, self.role), "timeout": 10, "async_creator_fn": _connect},
        )

    @property
    def dsn(self) -> str:
        """The address for the bare driver (asyncpg), password included: never log it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a read-only transaction, for queries."""
        async with self.engine.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield connection

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[Any]:
        """The rows of one statement that reads, over a connection of the bare driver that is kept for such: a quarter of what
        `read` costs, for what many requests a second want. One at a time; trouble with that connection is no failure.
        """
        async with self._reading:
            try:
                if self._reader is None:
                    settings = server_settings(self.schema, self.role) | {"default_transaction_read_only": "on"}
                    self._reader = await _connect(self.dsn, timeout=10, command_timeout=10, server_settings=settings)
                return list(await self._reader.fetch(statement, *arguments))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._drop_reader()
        async with self.read() as connection:
            return (await connection.exec_driver_sql(statement, arguments)).all()

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.terminate()
            self._reader = None

    async def ping(self) -> None:
        """Ask the server for one row; raises when it cannot answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection."""
        if self._reader is not None:
            await self._reader.close(timeout=1)
            self._reader = None
        await self.engine.dispose()
