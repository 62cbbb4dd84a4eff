"""`lendery keys`: the keys that sign access tokens."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime
    from typing import TypeVar

    from services.auth.context import Context
    from services.auth.domain.signing_keys import SigningKey

    T = TypeVar("T")

app = typer.Typer(
    help="Keys: those that sign access tokens, and those that seal what is stored.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the keys there are and were, the newest first. Private halves are never shown."""
    import json
    from datetime import UTC, datetime

    from runtime.console import out, print_columns
    from services.auth.domain.signing_keys import state_of
    from services.auth.queries.signing_keys import all_keys

    keys: Sequence[SigningKey] = with_auth(lambda context: all_keys(context.database, context.vault))
    now = datetime.now(UTC)
    rows = [("Key", "State", "Signs from (UTC)", "Retired (UTC)", "Revoked (UTC)", "Why")]
    for key in keys:
        signs_from, retired, revoked = map(_time, (key.activates_at, key.retired_at, key.revoked_at))
        rows.append((key.id, state_of(key, keys, now), signs_from, retired, revoked, key.revoke_reason or ""))
    if as_json:
        names = ("id", "state", "activates_at", "retired_at", "revoked_at", "revoke_reason")
        for row in rows[1:]:
            typer.echo(json.dumps(dict(zip(names, row, strict=True))))
    else:
        print_columns(out(), rows)


@app.command()
def rotate(
    at_once: Annotated[bool, typer.Option("--at-once", help="Sign with it now, not in ten minutes.")] = False,
) -> None:
    """Make the next key now instead of on schedule.

    It is published at once and signs in ten minutes, when everybody has it. Tokens of the present key stay good.
    """
    from runtime.console import out
    from services.auth.commands.rotate_keys import rotate_keys
    from services.auth.domain.origin import SYSTEM

    key = with_auth(lambda context: rotate_keys(context, SYSTEM, None, at_once=at_once))
    out().print(f"{key.id} signs from {key.activates_at:%Y-%m-%d %H:%M:%S} UTC", soft_wrap=True)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id in the list.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, for the record.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End a key whose private half somebody may have.

    No access token that it signed is good any more, in any running process, within seconds. People stay logged in: their
    clients get a token of another key with the next refresh.
    """
    from runtime.console import out
    from runtime.trouble import ExitCode, Trouble
    from services.auth.commands.rotate_keys import revoke_key
    from services.auth.domain.origin import SYSTEM
    from services.auth.domain.problems import SigningKeyNotFound

    if not yes:
        typer.confirm(f"End {key_id}, and every access token that it signed?", abort=True)
    try:
        key = with_auth(lambda context: revoke_key(context, key_id, reason, SYSTEM, None))
    except SigningKeyNotFound as problem:
        raise Trouble(ExitCode.USAGE, f"There is no key {key_id}.", hint=problem.detail) from None
    out().print(f"{key.id} revoked at {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC", soft_wrap=True)


def _time(instant: "datetime | None") -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant else ""


def with_auth(use: "Callable[[Context], Awaitable[T]]") -> "T":
    """What `use` gives. It is handed the context of the auth service, on the database of this command."""
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url

    with progress() as say, database_url(say) as url:
        say.end()
        return asyncio.run(_connect_and_use(url, use))


async def _connect_and_use(url: str, use: "Callable[[Context], Awaitable[T]]") -> "T":
    from runtime import local_environment
    from runtime.data_directory import DataDirectory, default_path
    from runtime.database import explained, given_url
    from runtime.services import SERVICES
    from runtime.settings import read_settings
    from runtime.trouble import ExitCode, Trouble
    from shared.crypto import Undecryptable
    from shared.service import Platform

    if given_url() is None:  # the local database: its keys are sealed under the data directory's secret
        settings = read_settings()
        data = DataDirectory(default_path())
        local_environment.apply({"DATABASE_URL": url}, local_environment.defaults(data, settings.public_url))
    service = next(entry for entry in SERVICES if entry.name == "auth").build(Platform.of(read_settings()))
    try:
        return await use(service.context)
    except Undecryptable as error:
        raise Trouble(
            ExitCode.USAGE,
            f"The keys were sealed under another encryption key: {error}.",
            hint="Set the LENDERY_ENCRYPTION_KEYS, or the LENDERY_DATA_DIR, of the platform.",
        ) from error
    except Exception as error:
        raise explained(url, error) from None
    finally:
        await service.database.dispose()
