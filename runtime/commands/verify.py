"""`lendery verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.wallet_ledger.domain.verification import Report

AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object.")]


def verify(as_json: AsJson = False) -> None:
    """Recompute the whole ledger and compare.

    Every balance, version chain, hold and seal and the trial balance are computed again from the journal. The platform may
    run meanwhile: it reads one snapshot and locks nothing. Exit code 1 when anything differs, with the place.

    Uses DATABASE_URL; without it, the local database.
    """
    import asyncio

    from runtime.console import progress
    from runtime.database import database_url

    with progress() as say, database_url(say) as url:
        say.end()
        report = asyncio.run(_verify(url))
    if as_json:
        _print_json(report)
    else:
        _print(report)
    if not report.sound:
        raise typer.Exit(1)


async def _verify(url: str) -> "Report":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from runtime.console import err
    from runtime.database import explained
    from runtime.settings import read_settings
    from services.wallet_ledger.domain.verification import Progress as Step
    from services.wallet_ledger.queries.verification import verify_ledger
    from shared.db.database import Database, role_of

    role = role_of("wallet_ledger", read_settings().db_role_prefix)
    database = Database(url, schema="wallet_ledger", role=role, pool_size=1)
    columns = (TextColumn("Verifying"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, TextColumn("{task.description}"), console=err(), disable=not err().is_terminal) as bar:
            task = bar.add_task("", total=None)

            def tell(step: Step) -> None:
                bar.update(task, description=step.check, completed=step.done, total=step.total)

            return await verify_ledger(database, tell)
    except Exception as error:
        raise explained(url, error) from None
    finally:
        await database.dispose()


def _print(report: "Report") -> None:
    from rich.text import Text

    from runtime.console import out

    console = out()
    for fault in report.faults:
        line = Text("FAULT ", style="bold red") + Text(f"{fault.check}: {fault.where}: {fault.what}")
        console.print(line, soft_wrap=True)
    counts = (
        f"{report.transactions:,} transactions, {report.transfers:,} transfers, {report.accounts:,} accounts, "
        f"{report.holds:,} holds, {report.blocks:,} sealed blocks"
    )
    rate = f"{report.transfers_per_second:,.0f} transfers a second"
    console.print(f"{counts} in {report.seconds:.1f} s ({rate})", soft_wrap=True)
    if report.faults:
        console.print(Text("The ledger does NOT verify.", style="bold red"))
    else:
        console.print(Text("The ledger verifies.", style="bold green"))


def _print_json(report: "Report") -> None:
    import json
    from dataclasses import asdict

    typer.echo(json.dumps(asdict(report)))
