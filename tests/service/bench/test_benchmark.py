"""Every piece of the benchmark runs, for a fraction of a second. How fast is not a test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.closed_loop import Timing
from bench.rivals import functions
from bench.scripts import run_script
from bench.server import bench_server
from tests.support.postgres import Server


def _bench(server: Server, *arguments: str) -> str:
    command = [sys.executable, "-m", "bench.ledger", *arguments]
    environment = os.environ | {"DATABASE_URL": server.url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300).stdout


@pytest.mark.slow
def test_every_figure_is_measured(postgres_server: Server, tmp_path: Path) -> None:
    said = _bench(postgres_server, "--rounds", "1", "--seconds", "0.3", "--plot", f"{tmp_path}/plot.png")
    figures = json.loads(said.splitlines()[-1])
    assert figures.keys() == {
        *("tpcb", "engine_16", "engine_64", "engine_hot_64", "legs", "http_64", "gateway_64"),
        *("functions_16", "row_by_row_16", "per_second"),
    }
    assert figures["tpcb"] > 0
    assert figures["engine_64"] > 0
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_clients_stand_in_for_pgbench(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENDERY_DB_ROLE_PREFIX", "replaced by the benchmark's own")
    with bench_server(postgres_server.url) as server:
        functions.prepare(server.other_url)
        measured = run_script(None, functions.SCRIPT, server.other_url, clients=2, timing=Timing(0.3, 0.1))
    assert measured.per_second > 0


@pytest.mark.slow
def test_a_profile_says_where_the_time_goes(postgres_server: Server) -> None:
    said = _bench(postgres_server, "--profile", "engine_16", "--seconds", "0.5")
    assert "deciding (domain)" in said
    assert "between statements" in said
