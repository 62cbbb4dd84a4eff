"""`python -m bench.ledger_scale`: what millions of transfers in the tables cost the next one, and a page of a statement."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench import children, report_scale
from bench.closed_loop import Measured, Timing
from bench.history import DAYS, load
from bench.seed import WALLETS, Owner
from bench.server import NotDurable, bench_server, further_database
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from shared.service import open_database
from shared.verification import Report

FIGURE = "engine_64"
FEW = 10_000
"""The short history that pages are compared with."""
_TRANSFERS_A_WALLET = 200
"""At least: fewer wallets are made for a short history, so that a page is full there, too."""
_BYTES_A_TRANSFER = 1_500
_READERS = 500
"""So many wallets are read."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Ledger:
    """A database with a history."""

    name: str
    url: str
    transfers: int
    owners: list[Owner] = field(default_factory=list)

    def engine(self, timing: Timing) -> Measured:
        """The poster with 64 callers, and the jobs in a process beside it."""
        environment = os.environ | {"DATABASE_URL": self.url}
        wallets = [f"wallet:{owner.wallet_id}" for owner in self.owners]
        worker = children.start("bench.worker", {}, environment)
        try:
            orders = {"figures": [FIGURE], "wallets": wallets, **vars(timing)}
            return Measured(**children.answer_of(children.start("bench.engine", orders, environment))["measured"][FIGURE])
        finally:
            worker.kill()
            worker.communicate()


Pages = Mapping[str, Mapping[str, Mapping[str, float]]]
"""`p50` and `p99` in milliseconds, by kind of page and by ledger."""


def read_pages(ledgers: Sequence[Ledger], first_day: str, pages: int) -> Pages:
    """How long a page takes in each ledger."""
    orders = {
        "first_day": first_day,
        "pages": pages,
        "warm_up": pages // 5,
        "ledgers": {
            ledger.name: {
                "url": ledger.url,
                "owners": [(str(owner.user_id), str(owner.wallet_id)) for owner in ledger.owners[:_READERS]],
            }
            for ledger in ledgers
        },
    }
    answer: Pages = children.run("bench.pages", orders, os.environ, patience_seconds=1_800)
    return answer


def figures_of(engine: Mapping[str, Sequence[Measured]], pages: Pages) -> dict[str, Any]:
    """What the last line says: `flat`, and p99 of each kind of page in the long history over that in the short one."""
    flat = median(many.per_second / none.per_second for none, many in zip(engine["none"], engine["many"], strict=True))
    p99 = {kind: of["many"]["p99"] / of["few"]["p99"] for kind, of in pages.items()}
    return {
        "flat": round(flat, 3),
        "statement_p99": round(p99["statement"], 3),
        "effective_p99": round(p99["effective"], 3),
        "entries_p99": round(p99["entries"], 3),
        "per_second": {name: round(median(one.per_second for one in rounds), 1) for name, rounds in engine.items()},
        "p99_milliseconds": {kind: {name: round(one["p99"], 2) for name, one in of.items()} for kind, of in pages.items()},
    }


async def _verified(url: str) -> Report:
    database = open_database(Settings(database_url=url), "wallet_ledger")
    try:
        return await verify_ledger(database)
    finally:
        await database.dispose()


@app.command(help=__doc__)
def main(
    transfers: Annotated[int, typer.Option(min=10_000, help="How long the long history is.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each measurement of the engine takes.")] = 5.0,
    warm_up_seconds: Annotated[float, typer.Option(min=0, help="Before that, so long; it does not count.")] = 5.0,
    pages: Annotated[int, typer.Option(min=100, help="How many pages of each kind are read.")] = 2_000,
    verify: Annotated[bool, typer.Option(help="At the end, verify the ledger with the long history.")] = False,
    database_url: Annotated[str | None, typer.Option(envvar="DATABASE_URL", help="A server to measure on.")] = None,
    plot: Annotated[Path, typer.Option(help="Where the plot goes.")] = Path("build/bench-ledger-scale.png"),
) -> None:
    """The benchmark."""
    console = Console()
    if not console.is_terminal:
        console.width = 140
    if database_url is None and shutil.disk_usage("/").free < transfers * _BYTES_A_TRANSFER:
        console.print(f"[red]{transfers:,} transfers need about {transfers * _BYTES_A_TRANSFER >> 30} GB of disk.[/]")
        raise typer.Exit(1)
    started, timing = time.perf_counter(), Timing(seconds, warm_up_seconds)
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    load_before = os.getloadavg()[0]

    def say(what: str) -> None:
        console.print(f"{time.perf_counter() - started:7.1f} s  {what}")

    try:
        with ExitStack() as stack:
            server = stack.enter_context(bench_server(database_url))
            urls = [stack.enter_context(further_database(server, name)) for name in ("none", "few")]
            none, few = Ledger("none", urls[0], 0), Ledger("few", urls[1], FEW)
            many = Ledger("many", server.ledger_url, transfers)
            for ledger in (none, few, many):
                os.environ["DATABASE_URL"] = ledger.url
                wallets = min(WALLETS, (ledger.transfers or transfers) // _TRANSFERS_A_WALLET)
                ledger.owners = asyncio.run(load(ledger.url, ledger.transfers, wallets, say=say, until=until))
            say("Reading pages")
            read = read_pages((few, many), str((until - timedelta(days=DAYS)).date()), pages)
            engine: dict[str, list[Measured]] = {"none": [], "many": []}
            for number in range(1, rounds + 1):
                for ledger in (none, many) if number % 2 else (many, none):
                    say(f"Round {number} of {rounds}: {FIGURE} with {ledger.transfers:,} transfers in the tables")
                    engine[ledger.name].append(ledger.engine(timing))
            verified = None
            if verify:
                say("Verifying")
                verified = asyncio.run(_verified(many.url))
                say(f"{'Sound' if verified.sound else verified.faults}: {verified.rows_per_second:,.0f} rows a second")
    except (NotDurable, children.ChildFailed) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    figures = figures_of(engine, read)
    _show(console, engine, read, figures, transfers)
    console.print(
        f"PostgreSQL {server.version}, fsync and synchronous_commit on; {os.cpu_count()} cores; "
        f"load {load_before:.1f} before, {os.getloadavg()[0]:.1f} after."
    )
    report_scale.draw(engine, read, transfers, FEW, plot)
    console.print(f"Plot: {plot}")
    print(json.dumps({"transfers": transfers, **figures, **({"sound": verified.sound} if verified else {})}))


def _show(
    console: Console,
    engine: Mapping[str, Sequence[Measured]],
    pages: Pages,
    figures: Mapping[str, Any],
    transfers: int,
) -> None:
    table = Table(title=f"With {transfers:,} transfers in the tables", title_justify="left")
    for heading in ("figure", "what", "short", "long", "ratio", "wanted"):
        table.add_column(heading, justify="left" if heading in ("figure", "what") else "right")
    rates = {name: median(one.per_second for one in rounds) for name, rounds in engine.items()}
    row = ("flat", f"{FIGURE}, transfers a second; short: none", f"{rates['none']:,.0f}", f"{rates['many']:,.0f}")
    table.add_row(*row, f"{figures['flat']:.2f}", "≥ 0.85")
    for kind, what in (
        ("statement", "a page of a month"),
        ("effective", "the same, by effective date"),
        ("entries", "a page of entries"),
    ):
        for share, wanted in (("p50", ""), ("p99", "≤ 1.5")):
            few, many = (pages[kind][name][share] for name in ("few", "many"))
            table.add_row(
                f"{kind}_{share}", f"{what}, ms; short: {FEW:,}", f"{few:.2f}", f"{many:.2f}", f"{many / few:.2f}", wanted
            )
    console.print(table)


if __name__ == "__main__":
    app()
