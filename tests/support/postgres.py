"""A PostgreSQL server for tests, and databases cloned from a template."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from migrations.roles import role_of
from migrations.runner import migrate
from migrations.schemas import SCHEMAS
from tests.support.run import is_left_over

_LOCAL = "postgresql://127.0.0.1:5432/postgres"
_LEFT_OVERS = (
    ("SELECT datname FROM pg_database WHERE starts_with(datname, 'lendery_')", 'DROP DATABASE IF EXISTS "{}" WITH (FORCE)'),
    ("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'lt')", 'DROP ROLE IF EXISTS "{}"'),
)


async def connect(url: str, *, patience_seconds: float = 60.0) -> asyncpg.Connection:
    """A connection without the services' settings; where all places are taken it waits for one."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return await asyncpg.connect(url, timeout=30, server_settings={"jit": "off"})
        except asyncpg.TooManyConnectionsError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Server:
    """A server that the tests may create databases and roles on. `url` names a maintenance database."""

    url: str

    async def _run(self, *statements: str) -> None:
        connection = await connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def create_template(self, name: str) -> None:
        """Make and migrate the database `name`."""
        await self._run(f'CREATE DATABASE "{name}"')
        await migrate(make_url(self.url).set(database=name).render_as_string(hide_password=False))

    async def drop_template(self, name: str) -> None:
        """Remove the database and this run's roles."""
        await self.drop(name)
        await self._run(*(f'DROP ROLE IF EXISTS "{role_of(schema)}"' for schema in SCHEMAS))

    async def clone(self, template: str, name: str) -> None:
        """Copy `template`; some tens of milliseconds."""
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    async def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        await self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def remove_left_overs(self) -> list[str]:
        """Drop databases and roles of test processes that are gone; their names."""
        connection = await connect(self.url)
        removed = []
        try:
            for kind, query in (
                ("DATABASE", "SELECT datname FROM pg_database WHERE datname LIKE 'lendery!_%' ESCAPE '!'"),
                ("ROLE", "SELECT rolname FROM pg_roles WHERE rolname LIKE 'lt%'"),
            ):
                for (name,) in await connection.fetch(query):
                    if is_left_over(name):
                        with suppress(asyncpg.PostgresError):  # another run may be at it too
                            await connection.execute(
                                f'DROP {kind} IF EXISTS "{name}"{" WITH (FORCE)" if kind == "DATABASE" else ""}'
                            )
                            removed.append(name)
        finally:
            await connection.close()
        return removed


def _with_password_free_login(url: str) -> str:
    parsed = make_url(url)
    return url if parsed.username else parsed.set(username=os.environ.get("USER", "root")).render_as_string(hide_password=False)


@contextmanager
def running_server() -> Iterator[Server]:
    """The server to test on: `TEST_DATABASE_URL`, else one on 127.0.0.1:5432 that lets us in, else the embedded one.

    `LENDERY_TEST_POSTGRES=embedded` asks for the embedded one.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Server(given)
        return
    local = _with_password_free_login(_LOCAL)
    if os.environ.get("LENDERY_TEST_POSTGRES") != "embedded" and _usable(local):
        yield Server(local)
        return
    from tests.support.embedded import embedded_server

    with embedded_server() as url:
        yield Server(url)


def _usable(url: str) -> bool:
    async def try_it() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=3)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        allowed = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        await connection.close()
        return bool(allowed)

    return asyncio.run(try_it())
