"""A RabbitMQ broker for tests: one that runs already, a private node of an installed one, or Docker's."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.ports import free_port

_LOCAL = ("127.0.0.1", 5672)
_START_SECONDS = 60
_IMAGE = "rabbitmq:4.1-alpine"
SKIPPED = (
    "NO RABBITMQ: nothing answers on 127.0.0.1:5672, no rabbitmq-server is installed and Docker is not there. "
    "Everything that needs a broker was NOT tested. Install rabbitmq-server, or set TEST_AMQP_URL."
)


@contextmanager
def running_broker() -> Iterator[str | None]:
    """The URL of a broker, or None where none can be had. The broker is stopped afterwards if it was started here."""
    given = os.environ.get("TEST_AMQP_URL")
    if given:
        yield given
    elif _listens(*_LOCAL):
        yield "amqp://guest:guest@127.0.0.1:5672/"
    elif shutil.which("rabbitmq-server"):
        with _private_node() as url:
            yield url
    elif shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        with _container() as url:
            yield url
    else:
        yield None


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _wait_for(port: int, process: "subprocess.Popen[bytes] | None" = None) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens("127.0.0.1", port):
        if time.monotonic() > deadline or (process and process.poll() is not None):
            raise RuntimeError("the private RabbitMQ node did not start")
        time.sleep(0.2)


@contextmanager
def _private_node() -> Iterator[str]:
    port, distribution = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="lendery-rabbitmq-") as home:
        environment = os.environ | {
            "HOME": home,
            "RABBITMQ_NODENAME": f"lendery-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": f"{home}/data",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
        }
        process = subprocess.Popen(
            ["rabbitmq-server"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait_for(port, process)
            time.sleep(1)  # the listener opens a moment before the default user exists
            yield f"amqp://guest:guest@127.0.0.1:{port}/"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)


@contextmanager
def _container() -> Iterator[str]:
    port = free_port()
    name = f"lendery-test-{secrets.token_hex(4)}"
    subprocess.run(
        ["docker", "run", "--detach", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:5672", _IMAGE],
        check=True,
        capture_output=True,
    )
    try:
        _wait_for(port)
        time.sleep(5)
        yield f"amqp://guest:guest@127.0.0.1:{port}/"
    finally:
        subprocess.run(["docker", "stop", name], capture_output=True, check=False)
