"""Processes of their own for what would otherwise take turns with the orchestration, or with each other, on one core.

A child is a module run with `-m`. It is told what to do by JSON on its standard input, and answers with one line of JSON.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

_PATIENCE_SECONDS = 120.0


class ChildFailed(Exception):
    """A child ended badly; the message has what it said."""


def start(module: str, orders: Mapping[str, Any], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Run a module beside this process."""
    with tempfile.TemporaryFile("w+") as told:
        json.dump(orders, told)
        told.seek(0)
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env=dict(environment),
            stdin=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def answer_of(child: "subprocess.Popen[str]", *, patience_seconds: float = _PATIENCE_SECONDS) -> Any:
    """Wait for the child's end; the value of the last line that it printed. Raises `ChildFailed`."""
    try:
        said, complained = child.communicate(timeout=patience_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        raise ChildFailed(f"{child.args!r} did not end in {patience_seconds:.0f} seconds") from None
    if child.returncode:
        raise ChildFailed(complained.strip() or f"it ended with {child.returncode}")
    return json.loads(said.splitlines()[-1])


def run(module: str, orders: Mapping[str, Any], environment: Mapping[str, str], *, patience_seconds: float) -> Any:
    """Run a module to its end; its answer. Raises `ChildFailed`."""
    return answer_of(start(module, orders, environment), patience_seconds=patience_seconds)


def orders() -> dict[str, Any]:
    """In a child: what it is told to do."""
    told: dict[str, Any] = json.load(sys.stdin)
    return told


def answer(value: Any) -> None:
    """In a child: what came of it."""
    print(json.dumps(value), flush=True)
