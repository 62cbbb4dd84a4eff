"""The command line of this benchmark."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import children
from bench.gateway import programs, report, results, wrk
from bench.gateway.stage import PATH, Stage, stage
from bench.server import NotDurable

CONNECTIONS = 32
LOGINS = 2000
_ORDER = ("bare", "nginx", "gateway")
_PACED_CONNECTIONS = 64

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


def _capacity(program: str, on: Stage, name: str, seconds: int) -> results.Capacity:
    proxy = on.proxies[name]
    before = proxy.processor_seconds()
    rate = wrk.run(program, f"http://127.0.0.1:{proxy.port}{PATH}", connections=CONNECTIONS, seconds=seconds, headers=on.headers)
    used = proxy.processor_seconds() - before
    return results.Capacity(rate.per_second, used / rate.requests * 1e6)


def _p99(on: Stage, name: str, rate: float, seconds: int) -> float:
    orders = {
        "port": on.proxies[name].port,
        "path": PATH,
        "headers": dict(on.headers),
        "rate": rate,
        "seconds": seconds,
        "warm_up_seconds": 0.5,
        "connections": _PACED_CONNECTIONS,
    }
    answer: dict[str, float] = children.run("bench.gateway.paced", orders, os.environ, patience_seconds=seconds + 60)
    return answer["p99"]


def _round(program: str, on: Stage, seconds: int, people: int) -> results.Round:
    capacity = {name: _capacity(program, on, name, seconds) for name in _ORDER}
    rate = capacity["gateway"].per_second / 2
    p99_nginx = _p99(on, "nginx", rate, seconds)
    p99 = _p99(on, "gateway", rate, seconds)
    during, logins = None, dict[str, int]()
    if on.logins and people:
        with on.people_logging_in(people) as logins:
            during = _p99(on, "gateway", rate, seconds)
    return results.Round(capacity, rate, p99, p99_nginx, during, logins)


_SECONDS = "How long each measurement takes."
_DATABASE_URL = (
    "A PostgreSQL server for the auth service, as a superuser; databases are made on it and removed. Else an embedded one."
)
_HELP = """Measure the gateway, with everything on, between a bare aiohttp pass-through and nginx.

Each round asks wrk for as many requests as each of the three answers at 32 connections, in turn. Then a client of our own asks at
half of the gateway's rate, at a steady pace that does not wait for answers: nginx, the gateway, and the gateway while 2,000
people log in through it. The gateway checks the token, counts limits and says so, adds its headers, writes its access log and
counts its metrics. All three proxies are one process in front of the same nginx that answers 1 KB of JSON.

Prints tables, writes a plot, and prints as its last line JSON."""


@app.command(help="\n\n".join(paragraph.replace("\n", " ") for paragraph in _HELP.split("\n\n")))
def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured, one after the other.")] = 3,
    seconds: Annotated[int, typer.Option(min=1, help=_SECONDS)] = 5,
    database_url: Annotated[str | None, typer.Option(envvar="DATABASE_URL", help=_DATABASE_URL)] = None,
    logins: Annotated[int, typer.Option(min=0, help="How many people log in at once; 0 needs no database.")] = LOGINS,
    plot: Annotated[Path, typer.Option(help="Where the plot goes.")] = Path("build/bench-gateway.png"),
) -> None:
    """The benchmark."""
    console = Console()
    if not console.is_terminal:
        console.width = 140
    load = os.getloadavg()[0]
    done: list[results.Round] = []
    try:
        found = programs.find()
        with stage(found, database_url, logins=bool(logins)) as on:
            for number in range(1, rounds + 1):
                with console.status(f"Round {number} of {rounds}"):
                    done.append(_round(found["wrk"], on, seconds, logins))
    except (programs.ProgramMissing, wrk.WrkFailed, NotDurable, children.ChildFailed) as error:
        Console(stderr=True).print(f"[bold red]{error}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    report.show(console, done, (load, os.getloadavg()[0]))
    report.draw(done, plot)
    console.print(f"Plot: {plot}")
    print(json.dumps(results.as_json(done)))


if __name__ == "__main__":
    app()
