"""`python -m bench.ledger`: the ledger next to pgbench, and next to other ways to do the same work, on one server."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import children, engine, report, scripts
from bench.closed_loop import Measured, Timing
from bench.deployments import Deployments, deployments
from bench.figures import BY_NAME, RIVALS, YARDSTICK, Results
from bench.processor import added_to
from bench.rivals import functions
from bench.seed import Owner, open_wallets
from bench.server import BenchServer, NotDurable, bench_server, settle

CLIENTS = 16
CONNECTIONS = 64
_HTTP = {"http_64": ("wallet-ledger", "service_port"), "gateway_64": ("gateway", "gateway_port")}
_POSTER = "lendery-wallet_ledger-poster"
_PROFILE_WARM_UP_SECONDS = 1.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@dataclass(frozen=True)
class Bench:
    """A server with everything on it that the measurements need."""

    server: BenchServer
    owners: list[Owner]
    pgbench: str | None
    deployed: Deployments | None
    timing: Timing

    def measure(self, name: str) -> Measured:
        """One figure, once."""
        settle(self.server)
        url = self.server.other_url
        if name == YARDSTICK:
            return scripts.run_script(self.pgbench, None, url, clients=CLIENTS, timing=self.timing)
        if name == "functions_16":
            return scripts.run_script(self.pgbench, functions.SCRIPT, url, clients=CLIENTS, timing=self.timing)
        if name == "row_by_row_16":
            orders = {"url": url, "callers": CLIENTS, **vars(self.timing)}
            answer = children.run("bench.rivals.row_by_row", orders, os.environ, patience_seconds=self.timing.seconds + 60)
            return Measured(**answer)
        if name in _HTTP:
            assert self.deployed is not None
            port = getattr(self.deployed, _HTTP[name][1])
            before = self.deployed.processor_seconds(self.server)
            measured = self.deployed.load(self.owners[:CONNECTIONS], self.owners, port, self.timing)
            return added_to(measured, before, self.deployed.processor_seconds(self.server))
        return Measured(**children.answer_of(self.start_engine(name))["measured"][name])

    def start_engine(self, figure: str, *, profiled: bool = False) -> "subprocess.Popen[str]":
        """A poster with callers, in a process of their own."""
        wallets = [f"wallet:{owner.wallet_id}" for owner in self.owners]
        orders = {"figures": [figure], "wallets": wallets, "profiled": profiled, **vars(self.timing)}
        return children.start("bench.engine", orders, os.environ)

    def profile(self, figure: str, console: Console) -> None:
        """Run one figure under the sampler, and print where its time goes."""
        if figure in _HTTP:
            with deployments(sampled=_HTTP[figure][0]) as deployed:
                measured = replace(self, deployed=deployed).measure(figure)
            report.show_profile(console, figure, deployed.profile, measured)
            return
        child = self.start_engine(figure, profiled=True)
        waits = self._server_waits()
        answer = children.answer_of(child)
        report.show_profile(console, figure, answer["profile"], Measured(**answer["measured"][figure]))
        report.show_waits(console, waits)

    def _server_waits(self) -> dict[str, float]:
        looks = {"url": self.server.ledger_url, "application": _POSTER, "seconds": self.timing.seconds}
        waits: dict[str, float] = children.run("bench.server_waits", looks, os.environ, patience_seconds=self.timing.seconds + 60)
        return waits


@contextmanager
def prepared(database_url: str | None, names: set[str], timing: Timing, console: Console) -> Iterator[Bench]:
    """The server, its databases, the wallets and whatever else the figures `names` need."""
    with bench_server(database_url) as server:
        os.environ["DATABASE_URL"] = server.ledger_url  # children, and the service's settings, read it
        pgbench = scripts.find_pgbench()
        if pgbench is None:
            console.print(
                "[bold yellow]There is no pgbench here.[/] A client written in Python sends its statements. It is slower, so"
                " the ratios below flatter Lendery. Install PostgreSQL's client programs for a fair yardstick."
            )
        scripts.prepare_tpcb(pgbench, server.other_url)
        owners = asyncio.run(open_wallets(server.ledger_url))
        if "functions_16" in names:
            functions.prepare(server.other_url)
        if "row_by_row_16" in names:
            url = {"url": server.other_url, "prepare": True}
            children.run("bench.rivals.row_by_row", url, os.environ, patience_seconds=60)
        worker = children.start("bench.worker", {}, os.environ)
        try:
            if names & _HTTP.keys():
                with deployments() as deployed:
                    yield Bench(server, owners, pgbench, deployed, timing)
            else:
                yield Bench(server, owners, pgbench, None, timing)
        finally:
            worker.kill()
            worker.communicate()


def _names(only: str | None, rivals: bool) -> list[str]:
    if only is None:
        return [name for name in BY_NAME if rivals or name not in RIVALS]
    asked = {name.strip() for name in only.split(",")}
    if unknown := asked - BY_NAME.keys():
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BY_NAME)}")
    asked |= {YARDSTICK} | {BY_NAME[name].over for name in asked}
    return [name for name in BY_NAME if name in asked]


_DATABASE_URL = (
    "A server to measure on, as a superuser; two databases are made on it and removed. Without it: a fresh embedded one."
)
_SECONDS = "How long each measurement takes, after half a second that does not count."
_ONLY = f"Measure only these, separated by commas: {', '.join(BY_NAME)}."
_PROFILE = f"Instead, run one of {', '.join((*engine.FIGURES, *_HTTP))} under a sampler and print where the time goes."
_HELP = """Measure the ledger, with everything on, next to pgbench on the same server.

Every round runs pgbench's tpcb-like (scale 10, 16 clients, prepared), then Lendery's poster called in its process, the service
over HTTP, the gateway, and the same work done in other ways. Durability is PostgreSQL's default: a commit is on disk. Lendery
keeps idempotency keys, versions, running balances, outbox events and sealed blocks all the while.

Prints a table, writes a plot, and prints as its last line JSON in which `tpcb` is in transactions a second and every other name a
ratio: to tpcb, and of engine_hot_64 to engine_64."""


@app.command(help="\n\n".join(paragraph.replace("\n", " ") for paragraph in _HELP.split("\n\n")))
def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured, one after the other.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help=_SECONDS)] = 3.0,
    database_url: Annotated[str | None, typer.Option(envvar="DATABASE_URL", help=_DATABASE_URL)] = None,
    only: Annotated[str | None, typer.Option(help=_ONLY)] = None,
    rivals: Annotated[bool, typer.Option(help="Measure the same work done in other ways, too.")] = True,
    profile: Annotated[str | None, typer.Option(help=_PROFILE, metavar="FIGURE")] = None,
    plot: Annotated[Path, typer.Option(help="Where the plot goes.")] = Path("build/bench-ledger.png"),
) -> None:
    """The benchmark."""
    console = Console()
    if not console.is_terminal:
        console.width = 140
    timing = Timing(seconds)
    names = [] if profile is not None else _names(only, rivals)
    if profile is not None and profile not in (*engine.FIGURES, *_HTTP):
        raise typer.BadParameter(f"--profile takes one of {', '.join((*engine.FIGURES, *_HTTP))}")
    load = os.getloadavg()[0]
    try:
        with prepared(database_url, set(names), timing, console) as bench:
            if profile is not None:
                bench.profile(profile, console)
                return
            results = Results()
            for number in range(1, rounds + 1):
                with console.status(f"Round {number} of {rounds}") as status:
                    measured = {}
                    for name in names:
                        status.update(f"Round {number} of {rounds}: {BY_NAME[name].what}")
                        measured[name] = bench.measure(name)
                    results.add(measured)
    except (NotDurable, children.ChildFailed) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    report.show_results(console, results, bench.server.version, (load, os.getloadavg()[0]))
    report.draw(results, plot)
    console.print(f"Plot: {plot}")
    print(json.dumps(results.as_json()))


if __name__ == "__main__":
    app()
