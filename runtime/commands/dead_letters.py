"""`lendery dead-letters`: messages that could not be handled, and what becomes of them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from shared.messaging.dead_letters import DeadLetter, DeadLetters

    T = TypeVar("T")

app = typer.Typer(
    help="List, replay or discard messages that a service could not handle.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class Consumer(StrEnum):
    """The services that consume messages."""

    AUTH = "auth"
    WALLET_LEDGER = "wallet-ledger"
    LENDING = "lending"
    PAYMENTS = "payments"
    NOTIFICATIONS = "notifications"


Service = Annotated[Consumer | None, typer.Option(help="Only of this service.", show_default="every service")]
OneService = Annotated[Consumer, typer.Option(help="The service that could not handle the messages.", show_default=False)]
Ids = Annotated[list[int] | None, typer.Argument(help="Their numbers in the list.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every message that is dead.")]


@app.command("list")
def list_(
    service: Service = None,
    status: Annotated[str, typer.Option(help="dead, replayed or discarded.", metavar="STATUS")] = "dead",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each service.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with the whole message.")] = False,
) -> None:
    """Show messages that could not be handled, the oldest first."""
    from runtime.console import out
    from runtime.trouble import ExitCode, Trouble

    if status not in ("dead", "replayed", "discarded"):
        raise Trouble(ExitCode.USAGE, f"There is no status {status!r}.", hint="Choose dead, replayed or discarded.")
    chosen = [service] if service else list(Consumer)

    async def read(letters: "Callable[[Consumer], DeadLetters]") -> "list[DeadLetter]":
        return [letter for one in chosen for letter in await letters(one).list(status=status, limit=limit)]  # type: ignore[arg-type]

    found = _with_letters(read)
    if as_json:
        for letter in found:
            typer.echo(_json_line(letter))
    elif found:
        _print_table(found)
    else:
        out().print(f"No message is {status}.")


@app.command()
def replay(service: OneService, ids: Ids = None, every: All = False) -> None:
    """Deliver messages to the service once more.

    What fails again is dead again. When the platform is not running, it happens at the next start.
    """
    chosen = _chosen(ids, every)
    _report("replayed", _with_letters(lambda letters: letters(service).replay(chosen)), chosen)


@app.command()
def discard(
    service: OneService,
    ids: Ids = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Give messages up for good.

    They stay in the database for 90 days, marked as discarded.
    """
    chosen = _chosen(ids, every)
    what = "every dead message" if chosen is None else f"{len(chosen)} message{'s' if len(chosen) > 1 else ''}"
    if not yes:
        typer.confirm(f"Discard {what} of {service.value}?", abort=True)
    _report("discarded", _with_letters(lambda letters: letters(service).discard(chosen)), chosen)


def _chosen(ids: list[int] | None, every: bool) -> list[int] | None:
    """The numbers given, or None for all. Raises `Trouble` when it is neither or both."""
    from runtime.trouble import ExitCode, Trouble

    if bool(ids) == every:
        raise Trouble(ExitCode.USAGE, "Give the numbers of the messages, or --all.")
    return None if every else ids


def _report(done: str, ids: "Sequence[int]", chosen: list[int] | None) -> None:
    """Tell what was done. Raises `Trouble` when some of the chosen were not there to do it to."""
    from runtime.console import out
    from runtime.trouble import ExitCode, Trouble

    out().print(f"{len(ids)} {done}")
    missed = sorted(set(chosen or ()) - set(ids))
    if missed:
        numbers = ", ".join(map(str, missed))
        raise Trouble(
            ExitCode.FAULT,
            f"Not {done}: {numbers}.",
            hint="They are not there, were decided before, or (for a replay) are no readable messages.",
        )


def _with_letters(use: "Callable[[Callable[[Consumer], DeadLetters]], Awaitable[T]]") -> "T":
    """What `use` gives. It is handed a function from a service to its dead letters, read as that service's role."""
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url, explained
    from runtime.settings import read_settings
    from shared.db.database import Database, role_of
    from shared.messaging.dead_letters import DeadLetters

    prefix = read_settings().db_role_prefix

    async def connect_and_use(url: str) -> "T":
        databases: list[Database] = []

        def letters(consumer: Consumer) -> DeadLetters:
            schema = consumer.value.replace("-", "_")
            databases.append(Database(url, schema=schema, role=role_of(schema, prefix), pool_size=1))
            return DeadLetters(databases[-1].engine, schema)

        try:
            return await use(letters)
        except Exception as error:
            raise explained(url, error) from None
        finally:
            for database in databases:
                await database.dispose()

    with progress() as say, database_url(say) as url:
        return asyncio.run(connect_and_use(url))


def _print_table(letters: "Sequence[DeadLetter]") -> None:
    from runtime.console import out, print_columns

    rows = [("Service", "Number", "Type", "Attempts", "Last failed (UTC)", "Why")]
    for letter in letters:
        failed_at = f"{letter.last_failed_at:%Y-%m-%d %H:%M:%S}"
        service = letter.consumer.replace("_", "-")
        rows.append((service, str(letter.id), letter.type, str(letter.attempts), failed_at, letter.error))
    print_columns(out(), rows)


def _json_line(letter: "DeadLetter") -> str:
    import json
    from dataclasses import asdict

    return json.dumps(asdict(letter), default=str)
