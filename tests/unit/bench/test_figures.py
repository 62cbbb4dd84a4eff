"""What the benchmark makes of its rounds."""

import asyncio
from pathlib import Path

from PIL import Image

from bench.closed_loop import Measured, Timing, closed_loop
from bench.figures import BY_NAME, Results
from bench.report import draw
from bench.scripts import TPCB_LIKE, parse


def _results() -> Results:
    results = Results()
    for tpcb, engine, hot in ((1000, 3000, 2700), (500, 2000, 1900), (2000, 5000, 4000)):
        results.add({name: Measured(rate) for name, rate in {"tpcb": tpcb, "engine_64": engine, "engine_hot_64": hot}.items()})
    return results


def test_ratios_are_taken_within_a_round() -> None:
    results = _results()
    assert results.per_second("tpcb") == 1000
    assert results.ratio(BY_NAME["engine_64"]) == 3.0
    assert results.ratio(BY_NAME["engine_hot_64"]) == 0.9


def test_the_last_line_has_ratios_and_the_absolute_yardstick() -> None:
    last_line = _results().as_json()
    rates = {"tpcb": 1000, "engine_64": 3000, "engine_hot_64": 2700}
    assert last_line == {"tpcb": 1000, "engine_64": 3.0, "engine_hot_64": 0.9, "per_second": rates}


def test_the_plot_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "plots" / "bench.png"
    draw(_results(), path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(image.getcolors(maxcolors=100_000) or ()) > 3


def test_pgbench_scripts_are_understood_without_pgbench() -> None:
    variables, statements = parse(TPCB_LIKE)
    assert variables == {"aid": (1, 1_000_000), "bid": (1, 10), "tid": (1, 100), "delta": (-5000, 5000)}
    assert statements[0] == ("BEGIN", [])
    assert statements[1] == ("UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2", ["delta", "aid"])
    assert len(statements) == 7


def test_casts_are_no_variables() -> None:
    _, statements = parse("SELECT :n::int + :n;")
    assert statements == [("SELECT $1::int + $1", ["n"])]


async def test_a_closed_loop_counts_units_of_work() -> None:
    asked = 0

    async def step() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.001)
        return 10

    measured = await closed_loop([step, step], Timing(0.02, 0.01))
    assert 0 < measured.per_second * 0.02 <= asked * 10
    assert measured.p50_milliseconds <= measured.p99_milliseconds
