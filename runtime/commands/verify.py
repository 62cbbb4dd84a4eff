"""`lendery verify`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.wallet_ledger.checkpoint_keys import CheckpointKeys
    from services.wallet_ledger.domain.checkpoint import Checkpoint
    from shared.verification import Check, Fault, Report

AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object.")]
Write = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="If everything adds up, write a signed checkpoint to FILE. Keep it elsewhere."
    ),
]
Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="FILE", help="Check that the ledger still goes on from this checkpoint."),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys", metavar="FILE", help="Trust these public keys, a copy of /.well-known/ledger-keys.json, for --against."
    ),
]


def verify(as_json: AsJson = False, checkpoint: Write = None, against: Against = None, keys: Keys = None) -> None:
    """Recompute what the platform keeps, and compare.

    Every balance, version chain, hold, key, seal and trial balance of the ledger is computed again from the journal. The
    platform may run meanwhile: it reads one snapshot and locks nothing. Exit code 1 when anything differs, with the place.

    A checkpoint is a small signed file that says where the ledger stood. The signing key is that of
    LENDERY_LEDGER_CHECKPOINT_KEYS; without it, that of the local data directory.

    Uses DATABASE_URL; without it, the local database.
    """
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url

    signing = _signing_keys() if checkpoint is not None or (against is not None and keys is None) else None
    comparing = _comparison(against, keys, signing) if against is not None else []
    taken: list[Checkpoint] = []
    with progress() as say, database_url(say) as url:
        say.end()
        reports = asyncio.run(_verify(url, [*comparing, *(_taking(taken) if checkpoint is not None else [])]))
    if as_json:
        _print_json(reports)
    else:
        _print(reports)
    if not all(report.sound for report in reports.values()):
        raise typer.Exit(1)
    if checkpoint is not None and signing is not None:
        _write_checkpoint(checkpoint, taken, signing, told=not as_json)


def _signing_keys() -> "CheckpointKeys":
    """The keys of the environment, else of the data directory. Raises `Trouble` when there are none."""
    from runtime.data_directory import open_data_directory
    from runtime.local_environment import checkpoint_keys
    from runtime.services import read_environment
    from runtime.trouble import ExitCode, Trouble
    from services.wallet_ledger.checkpoint_keys import VARIABLE, open_checkpoint_keys
    from services.wallet_ledger.settings import Settings

    settings = read_environment(Settings)
    if settings.ledger_checkpoint_keys is not None:
        return settings.checkpoint_keys()
    if settings.production:
        raise Trouble(ExitCode.USAGE, f"There is no key for checkpoints: {VARIABLE} is not set.")
    return open_checkpoint_keys(checkpoint_keys(open_data_directory()), production=False)


def _comparison(against: Path, keys: Path | None, signing: "CheckpointKeys | None") -> "list[Check]":
    """The check of a checkpoint in a file, whose signature is good. Raises `Trouble`."""
    from runtime.trouble import ExitCode, Trouble
    from services.wallet_ledger.checkpoint_keys import refused_because
    from services.wallet_ledger.domain.checkpoint import NotACheckpoint, checkpoint_in
    from services.wallet_ledger.queries.checkpoints import comparing_with

    document = _read_json(against)
    trusted = _read_json(keys) if keys is not None else signing.jwks() if signing is not None else {}
    try:
        checkpoint = checkpoint_in(document)
    except NotACheckpoint as error:
        raise Trouble(ExitCode.USAGE, f"{against} cannot be compared with: {error}.") from None
    if (reason := refused_because(document, trusted)) is not None:
        hint = "Name a copy of the public keys of then with --keys." if "not among" in reason else "Take another copy of it."
        raise Trouble(ExitCode.FAULT, f"The signature of {against} is not good: {reason}.", hint=hint)
    return [comparing_with(checkpoint)]


def _taking(taken: "list[Checkpoint]") -> "list[Check]":
    from services.wallet_ledger.queries.checkpoints import taking_checkpoint
    from shared.clock import SystemClock

    return [taking_checkpoint(SystemClock(), taken)]


def _write_checkpoint(file: Path, taken: "list[Checkpoint]", keys: "CheckpointKeys", *, told: bool) -> None:
    import json

    from runtime.console import out
    from runtime.trouble import ExitCode, Trouble

    if not taken:
        hint = "Blocks are sealed by the running platform, some seconds after the first transaction."
        raise Trouble(ExitCode.USAGE, "There is no checkpoint yet: nothing of the ledger has been sealed.", hint=hint)
    try:
        file.write_text(json.dumps(keys.sign(taken[0]), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Trouble(ExitCode.USAGE, f"{file} cannot be written: {error.strerror}.") from None
    if told:
        out().print(f"Checkpoint of transaction {taken[0].sequence:,}, block {taken[0].block:,}: {file}", soft_wrap=True)


def _read_json(file: Path) -> Any:
    import json

    from runtime.trouble import ExitCode, Trouble

    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Trouble(ExitCode.USAGE, f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Trouble(ExitCode.USAGE, f"{file} is not JSON.") from None


async def _verify(url: str, of_ledger: "Sequence[Check]" = ()) -> "dict[str, Report]":
    """The reports of all services that can prove what they keep, by name; `of_ledger` are further checks of the ledger."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from runtime.console import err
    from runtime.database import explained
    from runtime.services import SERVICES
    from runtime.settings import read_settings
    from shared.db.database import Database, role_of
    from shared.verification import Progress as Step
    from shared.verification import run_checks

    prefix = read_settings().db_role_prefix
    columns = (TextColumn("Verifying"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    reports: dict[str, Report] = {}
    with Progress(*columns, TextColumn("{task.description}"), console=err(), disable=not err().is_terminal) as bar:
        for entry in SERVICES:
            if not entry.proves:
                continue
            task = bar.add_task("", total=None)

            def tell(step: Step, task: Any = task) -> None:
                told = f"{step.check}, {step.per_second:,.0f} rows a second"
                bar.update(task, description=told, completed=step.done, total=step.total)

            database = Database(url, schema=entry.name, role=role_of(entry.name, prefix), pool_size=1)
            try:
                reports[entry.name] = await run_checks(
                    database, [*entry.checks(), *(of_ledger if entry.name == "wallet_ledger" else ())], tell
                )
            except Exception as error:
                raise explained(url, error) from None
            finally:
                await database.dispose()
    return reports


def _print(reports: "dict[str, Report]") -> None:
    from rich.text import Text

    from runtime.console import out

    console = out()
    for name, report in reports.items():
        title = name.replace("_", "-")
        for fault in report.faults:
            console.print(Text("FAULT ", style="bold red") + Text(_told(fault)), soft_wrap=True)
        counts = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in report.counts.items())
        rate = f"{report.rows:,} rows in {report.seconds:.1f} s, {report.rows_per_second:,.0f} a second"
        console.print(f"{title}: {counts} ({rate})", soft_wrap=True)
        if (first := report.first_fault) is not None and len(report.faults) > 1:
            console.print(Text("First: ", style="bold red") + Text(_told(first)), soft_wrap=True)
    unsound = [name.replace("_", "-") for name, report in reports.items() if not report.sound]
    if "wallet-ledger" in unsound:
        console.print(Text("The ledger does NOT verify.", style="bold red"))
    else:
        console.print(Text("The ledger verifies.", style="bold green"))
    for name in unsound:
        if name != "wallet-ledger":
            console.print(Text(f"What {name} keeps does NOT verify.", style="bold red"))


def _told(fault: "Fault") -> str:
    return f"{fault.check}: {fault.where}: {fault.what}"


def _print_json(reports: "dict[str, Report]") -> None:
    import json
    from dataclasses import asdict

    faults = [{"service": name, **asdict(fault)} for name, report in reports.items() for fault in report.faults]
    services = {
        name: {
            "sound": report.sound,
            "first_fault": asdict(report.first_fault) if report.first_fault else None,
            "counts": report.counts,
            "rows": report.rows,
            "seconds": round(report.seconds, 3),
            "rows_per_second": round(report.rows_per_second, 1),
        }
        for name, report in reports.items()
    }
    typer.echo(json.dumps({"sound": not faults, "faults": faults, "services": services}))
