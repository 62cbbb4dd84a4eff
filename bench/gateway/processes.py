"""Programs that this benchmark starts, knows by their process, and ends."""

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.children import ChildFailed

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Running:
    """One server: its port and its process, which may have workers below it."""

    port: int
    process: "subprocess.Popen[str]"

    def processor_seconds(self) -> float:
        """What it has used so far, workers included."""
        parent = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))


@contextmanager
def running(
    name: str, command: Sequence[str], port: int, environment: Mapping[str, str], *, path: str = "/healthz", orders: str = ""
) -> Iterator[Running]:
    """Start, wait until `path` is answered, and end it. Raises `ChildFailed` with what it said when it does not start."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as told:
        told.write(orders)
        told.seek(0)
        process = subprocess.Popen(command, env=dict(environment), stdin=told, stdout=said, stderr=said, text=True)
        try:
            if not _answers(process, f"http://127.0.0.1:{port}{path}"):
                said.seek(0)
                raise ChildFailed(f"{name} did not start: {said.read()[-2000:]}")
            yield Running(port, process)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(process: "subprocess.Popen[str]", url: str) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 our own loopback address
        except urllib.error.HTTPError:
            return True
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
        else:
            return True
    return False
