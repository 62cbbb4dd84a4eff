"""The PostgreSQL server that is measured on, with one database for Lendery and one for everything it is compared with."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from bench.processor import postmaster_of
from migrations.roles import role_of
from migrations.runner import migrate
from migrations.schemas import SCHEMAS

# What a small production server has, where the laptop's saves memory and disk; durability is the same.
_SETTINGS = {
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "256MB",
    "wal_level": "replica",
    "max_wal_size": "4GB",
}
_DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


class NotDurable(Exception):
    """A server that may lose what it has committed is not worth measuring."""


@dataclass(frozen=True)
class BenchServer:
    """Where the databases are. The URLs may hold a password: never print them."""

    ledger_url: str
    other_url: str
    version: str
    postmaster: int | None = None
    """The id of the server's first process, if it runs on this machine."""


@contextmanager
def bench_server(given_url: str | None) -> Iterator[BenchServer]:
    """Databases on the server of `given_url`, or on a fresh embedded one; removed at the end. Raises `NotDurable`."""
    if given_url is not None:
        with _databases(given_url) as server:
            yield server
        return
    from runtime.postgres import embedded_server

    with tempfile.TemporaryDirectory(prefix="lendery-bench-") as home:
        Path(home).chmod(0o755)  # as root, the server runs as somebody else
        with embedded_server(Path(home) / "postgres", settings=_SETTINGS) as own, _databases(own.url) as server:
            yield server


@contextmanager
def _databases(url: str) -> Iterator[BenchServer]:
    mark = f"lendery_bench_{secrets.token_hex(4)}"
    os.environ["LENDERY_DB_ROLE_PREFIX"] = mark  # roles are the server's; children inherit the variable
    ledger, other = mark, f"{mark}_other"
    version = asyncio.run(_checked(url))
    try:
        asyncio.run(_execute(url, f"CREATE DATABASE {ledger}", f"CREATE DATABASE {other}"))
        ledger_url, other_url = (_on(url, name) for name in (ledger, other))
        asyncio.run(migrate(ledger_url))
        yield BenchServer(ledger_url, other_url, version, asyncio.run(_postmaster(url)))
    finally:
        drops = [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (ledger, other)]
        drops += [f'DROP ROLE IF EXISTS "{role_of(schema)}"' for schema in SCHEMAS]
        asyncio.run(_execute(url, *drops))


@contextmanager
def further_database(server: BenchServer, name: str) -> Iterator[str]:
    """The URL of one more migrated database on the server; removed at the end."""
    database = f"{make_url(server.ledger_url).database}_{name}"
    asyncio.run(_execute(server.other_url, f"CREATE DATABASE {database}"))
    try:
        url = _on(server.other_url, database)
        asyncio.run(migrate(url))
        yield url
    finally:
        asyncio.run(_execute(server.other_url, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))


def _on(url: str, database: str) -> str:
    parsed = make_url(url).set(database=database)
    if parsed.username is None:
        parsed = parsed.set(username=os.environ.get("PGUSER") or os.environ.get("USER") or "postgres")
    return parsed.render_as_string(hide_password=False)


async def _checked(url: str) -> str:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        off = [name for name in _DURABILITY if await connection.fetchval("SELECT current_setting($1)", name) != "on"]
        if off:
            raise NotDurable(f"The server has {', '.join(off)} not on. Figures of a server that may lose commits mean nothing.")
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()


async def _postmaster(url: str) -> int | None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return postmaster_of(await connection.fetchval("SELECT pg_backend_pid()"))
    finally:
        await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


_UNSEALED = """
SELECT coalesce((SELECT max(sequence) FROM wallet_ledger.transactions), 0)
     - coalesce((SELECT max(last_sequence) FROM wallet_ledger.blocks), 0)
"""
_PATIENCE_SECONDS = 60


def settle(server: BenchServer) -> None:
    """Let what earlier measurements left to do be done: seal it, and write it out. Each is to pay for itself only."""

    async def sealed() -> None:
        connection = await asyncpg.connect(server.ledger_url, timeout=10)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while await connection.fetchval(_UNSEALED):  # noqa: ASYNC110 another process seals
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()

    asyncio.run(sealed())
    asyncio.run(_execute(server.other_url, "CHECKPOINT"))
