"""Signals stop us in order, whichever it is and whenever it comes."""

import signal
import subprocess
import sys

import pytest

BUSY = """
import asyncio, sys, time
from runtime.signals import Stopped, run_until_stopped, stoppable

async def main():
    try:
        print("running", flush=True)
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(float(sys.argv[2]))
        print("cleaned up", flush=True)

try:
    with stoppable():
        if sys.argv[1] == "before":
            try:
                print("running", flush=True)
                time.sleep(30)
            finally:
                print("cleaned up", flush=True)
        run_until_stopped(main(), stopping=lambda: print("stopping", flush=True))
except Stopped:
    print("stopped", flush=True)
"""


def busy(when: str, cleaning_seconds: float = 0) -> "subprocess.Popen[str]":
    """A process that waits, in the event loop or before it."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, when, str(cleaning_seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_loop_cancels_and_cleans_up(number: signal.Signals) -> None:
    process = busy("inside")
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    assert said.splitlines() == ["stopping", "cleaned up", "stopped"]
    assert (process.returncode, complained) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_loop_cleans_up(number: signal.Signals) -> None:
    process = busy("before")
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    assert said.splitlines() == ["cleaned up", "stopped"]
    assert (process.returncode, complained) == (0, "")


def test_a_second_signal_ends_the_process_at_once() -> None:
    process = busy("inside", cleaning_seconds=30)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert said == ""
    assert process.returncode == -signal.SIGTERM
