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
_START_SECONDS = 180
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
    elif _program():
        with private_node() as node:
            yield node.url
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


def _program() -> str | None:
    """An installed server. Debian's own command is a wrapper that would run it as somebody else, with data elsewhere."""
    return shutil.which("/usr/lib/rabbitmq/bin/rabbitmq-server") or shutil.which("rabbitmq-server")


class Node:
    """A RabbitMQ node of our own, with its data in `home`; it can be stopped, killed and started again."""

    def __init__(self, home: str) -> None:
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "HOME": home,
            "RABBITMQ_NODENAME": f"lendery-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{home}/data",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            # Not those of this machine's own node, which name its port.
            "RABBITMQ_CONF_ENV_FILE": f"{home}/none.sh",
            "RABBITMQ_CONFIG_FILE": f"{home}/none",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/none.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
        }

    def start(self) -> None:
        """Return when it takes connections."""
        self._process = subprocess.Popen(
            [_program() or "rabbitmq-server"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _wait_for(self.port, self._process)
        time.sleep(1)  # the listener opens a moment before the default user exists

    def stop(self) -> None:
        """In order; what does not end is killed."""
        self._end(signal.SIGTERM, 60)

    def kill(self) -> None:
        """As if the power went away."""
        self._end(signal.SIGKILL, 10)

    def _end(self, number: signal.Signals, patience_seconds: float) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)


@contextmanager
def private_node() -> Iterator[Node]:
    """A running node of an installed `rabbitmq-server`."""
    with tempfile.TemporaryDirectory(prefix="lendery-rabbitmq-", ignore_cleanup_errors=True) as home:
        node = Node(home)
        try:
            node.start()
            yield node
        finally:
            node.stop()


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
