"""The database of a command: `DATABASE_URL`, or the embedded one, running already or started for the command."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from runtime.data_directory import DataDirectory, default_path, open_data_directory
from runtime.trouble import ExitCode, Trouble

_RETRY_SECONDS = 0.5


def given_url() -> str | None:
    """`DATABASE_URL`, when there is one. Raises `Trouble` for what is no address of a PostgreSQL."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    given = os.environ.get("DATABASE_URL") or None
    try:
        if given is None or make_url(given).get_backend_name() in {"postgresql", "postgres"}:
            return given
    except (ArgumentError, ValueError):
        pass
    raise Trouble(
        ExitCode.USAGE,
        "DATABASE_URL is not the address of a PostgreSQL database.",
        hint="It looks like postgresql://login:password@host:5432/database; without it, Lendery starts its own.",
    )


@contextmanager
def database_url(say: Callable[[str], None], *, create: bool = False) -> Iterator[str]:
    """The address of the platform's database for the time of one command. Raises `Trouble`.

    Unless `create`, a data directory without a database is a mistake: a wrong LENDERY_DATA_DIR.
    """
    with ExitStack() as stack:
        yield given_url() or _embedded_url(stack, say, create=create)


def _embedded_url(stack: ExitStack, say: Callable[[str], None], *, create: bool) -> str:
    """The server of a running `lendery up`, or one that runs until `stack` closes."""
    from runtime.postgres import embedded_server, running_server_url

    if not create and not DataDirectory(default_path()).postgres.exists():
        raise Trouble(
            ExitCode.USAGE,
            f"There is no local database in {default_path()}.",
            hint="`lendery up` makes one; LENDERY_DATA_DIR says where it is, DATABASE_URL names another server.",
        )
    directory = open_data_directory()
    try:
        stack.enter_context(directory.locked())
    except Trouble as in_use:
        running = running_server_url(directory.postgres)
        if in_use.exit_code != ExitCode.DATA_DIRECTORY_IN_USE or running is None:
            raise
        return running
    say("Starting the local database")
    return stack.enter_context(embedded_server(directory.postgres, say)).url


async def apply_migrations(url: str, say: Callable[[str], None], *, patience_seconds: float = 0) -> list[str]:
    """Bring the database at `url` to the present shape; the revisions applied. Raises `Trouble`.

    A server that cannot be reached is tried again for `patience_seconds`: it may be starting, too.
    """
    from alembic.util import CommandError

    from migrations.runner import migrate

    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    while True:
        try:
            return await migrate(url, progress=say)
        except CommandError as error:
            raise Trouble(
                ExitCode.USAGE,
                f"The database was made by another version of Lendery: {error}.",
                hint="Run that version, or use another database.",
            ) from error
        except Exception as error:
            if not connection_failed(error):
                raise
            if loop.time() >= deadline:
                raise unreachable(url, error) from error
        say("Waiting for PostgreSQL")
        await asyncio.sleep(_RETRY_SECONDS)


def connection_failed(error: BaseException) -> bool:
    """Whether `error` means that the server is away or does not let us in, and not that a statement was wrong."""
    from asyncpg import (
        CannotConnectNowError,
        InsufficientPrivilegeError,
        InvalidAuthorizationSpecificationError,
        InvalidCatalogNameError,
        PostgresConnectionError,
        TooManyConnectionsError,
    )

    cause = getattr(error, "orig", None)
    cause = getattr(cause, "__cause__", None) or error
    return isinstance(
        cause,
        (
            OSError,  # refused, unknown host, timeout
            PostgresConnectionError,
            CannotConnectNowError,
            InvalidAuthorizationSpecificationError,
            InvalidCatalogNameError,
            InsufficientPrivilegeError,
            TooManyConnectionsError,
        ),
    )


def not_migrated(error: BaseException) -> bool:
    """Whether `error` means that the platform's roles, schemas or tables are not there."""
    from asyncpg import InvalidParameterValueError, InvalidSchemaNameError, UndefinedTableError

    cause = getattr(getattr(error, "orig", None), "__cause__", None) or error
    return isinstance(cause, (InvalidParameterValueError, InvalidSchemaNameError, UndefinedTableError))


def explained(url: str, error: Exception) -> Exception:
    """The trouble behind a failure of a command that uses the database at `url`, or `error` when it is none of those."""
    if connection_failed(error):
        return unreachable(url, error)
    if not_migrated(error):
        return Trouble(ExitCode.USAGE, "The database has not been migrated.", hint="Run `lendery migrate` first.")
    return error


def unreachable(url: str, error: BaseException) -> Trouble:
    """PostgreSQL at `url` does not serve us; told without the password in `url`."""
    from sqlalchemy.engine import make_url

    reason = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return Trouble(
        ExitCode.SERVER_UNREACHABLE,
        f"PostgreSQL at {make_url(url).render_as_string()} cannot be used: {reason[0]}",
        hint="Check DATABASE_URL and that the server is running; without DATABASE_URL, Lendery starts its own.",
    )
