"""A platform for one performance: started in a directory of its own, and gone afterwards."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from runtime.console import err
from runtime.trouble import ExitCode, Trouble

_READY_SECONDS = 120
_STOP_SECONDS = 20


@contextmanager
def own_platform() -> Iterator[str]:
    """Run `lendery up` with simulated dates on a free port; gives its address. Raises `Trouble`."""
    with tempfile.TemporaryDirectory(prefix="lendery-demo-") as home:
        port = _free_port()
        environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "AMQP_URL"}}
        environment |= {"LENDERY_PORT": str(port), "LENDERY_DATA_DIR": home, "LENDERY_SIMULATION": "1"}
        environment |= {"LENDERY_PUBLIC_URL": f"http://localhost:{port}"}
        log = Path(home) / "demo.log"
        with log.open("w") as output, err().status("Starting a platform for the demo …"):
            command = [sys.executable, "-m", "runtime", "up", "--no-demo-data"]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
            url = f"http://localhost:{port}"
            try:
                _wait_until_ready(process, url, log)
            except BaseException:
                _stop(process)
                raise
        try:
            yield url
        finally:
            with err().status("Stopping the demo's platform …"):
                _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise Trouble(ExitCode.SERVICE_FAILED, "The demo's platform did not start.", hint=log.read_text()[-2000:])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
