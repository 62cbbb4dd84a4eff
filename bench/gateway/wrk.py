"""wrk: as many requests as can be answered, over a given number of connections."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

_SPARE_SECONDS = 30.0
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_REQUESTS = re.compile(r"^\s*(\d+) requests in", re.MULTILINE)
_FAULTS = re.compile(r"^\s*(Non-2xx or 3xx responses: \d+|Socket errors: .*)$", re.MULTILINE)


class WrkFailed(Exception):
    """wrk did not run, or something else than success was answered."""


@dataclass(frozen=True)
class Rate:
    """What came of one run."""

    per_second: float
    requests: int


def parse(said: str) -> Rate:
    """What wrk reports. Raises `WrkFailed` when any answer was not a success: those are quicker, and no achievement."""
    rate, requests = _RATE.search(said), _REQUESTS.search(said)
    if rate is None or requests is None:
        raise WrkFailed(f"wrk said something else than usual: {said[-500:]}")
    if fault := _FAULTS.search(said):
        raise WrkFailed(fault.group(1))
    return Rate(float(rate.group(1)), int(requests.group(1)))


def run(program: str, url: str, *, connections: int, seconds: int, headers: Mapping[str, str]) -> Rate:
    """Ask `url` for whole `seconds`. Raises `WrkFailed`."""
    command = [program, "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    try:
        done = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + _SPARE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise WrkFailed(f"wrk did not end within {error.timeout:.0f} s") from None
    if done.returncode:
        raise WrkFailed(done.stderr.strip() or f"wrk ended with {done.returncode}")
    return parse(done.stdout)
