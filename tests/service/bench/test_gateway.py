"""The gateway's benchmark runs from end to end, for a moment. How fast is not a test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gateway import programs
from tests.support.postgres import Server


def _bench(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench.gateway", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
def test_every_figure_is_measured(postgres_server: Server, tmp_path: Path) -> None:
    try:
        programs.find()
    except programs.ProgramMissing as missing:
        pytest.skip(str(missing))  # wrk and nginx are programs of the system; nothing of the product needs them
    plot = tmp_path / "plot.png"
    done = _bench("--rounds", "1", "--seconds", "1", "--logins", "20", "--plot", str(plot), DATABASE_URL=postgres_server.url)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures.keys() == {"vs_bare", "vs_nginx", "p99_ratio", "p99_during_logins", "rounds"}
    assert all(figures[name] > 0 for name in figures if name != "rounds")
    assert figures["rounds"][0]["logins"]["refused"] == 0
    assert plot.stat().st_size > 1000


def test_without_its_programs_it_says_so_loudly(tmp_path: Path) -> None:
    # Nothing on the path, and nothing where nginx usually is: the message must not depend on this machine.
    code = (
        "import bench.gateway.programs as programs; programs._WHERE_ELSE = (); "
        "from bench.gateway.__main__ import app; app(['--logins', '0'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs wrk and nginx" in done.stderr
    assert "NOTHING WAS MEASURED" in done.stderr
    assert done.stdout == ""
