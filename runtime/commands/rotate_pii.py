"""`lendery keys rotate-pii`: what was sealed under older encryption keys is sealed anew under the first one."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from shared.crypto import Vault
    from shared.crypto.rotation import SealedColumn
    from shared.db.database import Database
    from shared.storage import SealedFiles

_SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")


def rotate_pii(
    batch: Annotated[int, typer.Option(min=1, max=5_000, help="Rows a transaction.")] = 200,
    count: Annotated[bool, typer.Option("--count", help="Only say how much there is to do.")] = False,
) -> None:
    """Seal personal data and secrets anew, under the first of LENDERY_ENCRYPTION_KEYS.

    First give every process the new key in front of the old one and restart it; then run this, while the platform runs. Ended
    half-way, it goes on where it was. When it says that nothing is left, the old key can go, except that refresh tokens given
    out before do not rotate any more without it: keep it for as long as sessions last.

    Exit code 1 when a value does not open under any key that there is.
    """
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url

    with progress() as say, database_url(say) as url:
        say.end()
        unreadable = asyncio.run(_rotate(url, batch, only_count=count))
    if unreadable:
        raise typer.Exit(1)


async def _rotate(url: str, batch: int, *, only_count: bool) -> int:
    """How many values do not open."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from runtime.console import err
    from runtime.database import explained
    from runtime.settings import read_settings
    from services.auth.sealed import FILES
    from shared.db.database import Database, role_of
    from shared.storage import open_files

    vault, storage_url = _secrets(url)
    unreadable = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err(), disable=not err().is_terminal) as bar:
        for service in _SERVICES:
            database = Database(url, schema=service, role=role_of(service, read_settings().db_role_prefix), pool_size=1)
            try:
                for column in _columns(service):
                    unreadable += await _column(bar, database, vault, service, column, batch, only_count=only_count)
                if service == "auth" and not only_count:
                    unreadable += await _files(bar, database, open_files(storage_url, vault), FILES)
            except Exception as error:
                raise explained(url, error) from None
            finally:
                await database.dispose()
    return unreadable


async def _column(
    bar: "Progress", database: "Database", vault: "Vault", service: str, column: "SealedColumn", batch: int, *, only_count: bool
) -> int:
    from shared.crypto.rotation import outdated, reseal

    name, total = f"{service}.{column.name}", await outdated(database, vault, column)
    if only_count:
        typer.echo(f"{name}: {total:,} to do")
        return 0
    task = bar.add_task(name, total=total)
    result = await reseal(database, vault, column, batch=batch, tell=lambda done: bar.update(task, completed=done))
    typer.echo(f"{name}: {result.done:,} sealed anew")
    for key in result.unreadable:
        typer.echo(f"{name}: the value of row {key} does not open under any key that there is", err=True)
    return len(result.unreadable)


async def _files(bar: "Progress", database: "Database", files: "SealedFiles", query: str) -> int:
    from shared.crypto import Undecryptable
    from shared.storage import FileMissing

    async with database.read() as connection:
        keys: Sequence[str] = (await connection.exec_driver_sql(query)).scalars().all()
    task, done, unreadable = bar.add_task("files", total=len(keys)), 0, 0
    for key in keys:
        try:
            done += await files.reseal(key)
        except (FileMissing, Undecryptable) as error:
            unreadable += 1
            typer.echo(f"files: {key}: {type(error).__name__}", err=True)
        bar.advance(task)
    typer.echo(f"files: {done:,} sealed anew")
    return unreadable


def _columns(service: str) -> "Sequence[SealedColumn]":
    from importlib import import_module

    columns: Sequence[SealedColumn] = import_module(f"services.{service}.sealed").SEALED
    return columns


def _secrets(url: str) -> "tuple[Vault, str]":
    """The vault and the place of files: of the environment, or of the local data directory."""
    from runtime import local_environment
    from runtime.data_directory import DataDirectory, default_path
    from runtime.database import given_url
    from runtime.services import read_environment
    from runtime.settings import read_settings
    from services.auth.settings import Settings

    if given_url() is None:
        data = DataDirectory(default_path())
        local_environment.apply({"DATABASE_URL": url}, local_environment.defaults(data, read_settings().public_url))
    settings = read_environment(Settings)
    return settings.open_vault(), settings.storage_url
