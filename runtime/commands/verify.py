"""`lendery verify`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from shared.verification import Fault, Report

AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object.")]


def verify(as_json: AsJson = False) -> None:
    """Recompute what the platform keeps, and compare.

    Every balance, version chain, hold, key, seal and trial balance of the ledger is computed again from the journal. The
    platform may run meanwhile: it reads one snapshot and locks nothing. Exit code 1 when anything differs, with the place.

    Uses DATABASE_URL; without it, the local database.
    """
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url

    with progress() as say, database_url(say) as url:
        say.end()
        reports = asyncio.run(_verify(url))
    if as_json:
        _print_json(reports)
    else:
        _print(reports)
    if not all(report.sound for report in reports.values()):
        raise typer.Exit(1)


async def _verify(url: str) -> "dict[str, Report]":
    """The reports of all services that can prove what they keep, by name."""
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
                reports[entry.name] = await run_checks(database, entry.checks(), tell)
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
