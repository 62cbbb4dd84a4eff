"""Whole platforms for journeys: real processes, started as an operator starts them, that can be killed and started again."""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import aio_pika
import httpx

from tests.support.ports import free_port

_READY_SECONDS = 180
_STOP_SECONDS = 60
_PLATFORMS_AT_ONCE = 2
_SERVICES = ("auth", "wallet-ledger", "lending", "payments", "notifications", "sandbox")


class Process:
    """One `lendery` command that runs until it is told otherwise."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self._arguments = arguments
        self._environment = environment
        self.log = log
        self._output: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run the command."""
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime", *self._arguments],
            env=self._environment,
            stdout=self._output,
            stderr=self._output,
        )

    @property
    def ended(self) -> bool:
        """Whether it does not run."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """As if the power went away."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    def stop(self) -> int:
        """Ask it to stop, as a supervisor does; its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._close()
        return self._process.returncode

    def _close(self) -> None:
        if self._output is not None:
            self._output.close()
            self._output = None


class RunningPlatform:
    """Its address, and the processes that it consists of."""

    def __init__(self, url: str, processes: list[Process], environment: dict[str, str]) -> None:
        self.url = url
        self.processes = processes
        self.environment = environment

    def start(self) -> None:
        """Start every process and wait until the gateway says that all are ready."""
        for process in self.processes:
            process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return once `/readyz` does not complain any more."""
        deadline = time.monotonic() + _READY_SECONDS
        said = "nothing"
        while time.monotonic() < deadline:
            for process in self.processes:
                assert not process.ended, f"{process.log.name} ended:\n{process.log.read_text()[-4000:]}"
            try:
                answer = httpx.get(f"{self.url}/readyz", timeout=10, trust_env=False)
                said = answer.text
                if answer.status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError as error:
                said = repr(error)
            time.sleep(0.1)
        logs = "\n".join(f"== {process.log.name}\n{process.log.read_text()[-1500:]}" for process in self.processes)
        raise AssertionError(f"the platform is not ready; its gateway says {said}\n{logs}")

    def stop(self) -> list[int]:
        """Stop everything, the gateway first; the exit codes."""
        return [process.stop() for process in reversed(self.processes)]


def _environment(**more: str) -> dict[str, str]:
    """A platform's environment: this process's, without what tests or people set for other platforms."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LENDERY_")}
    prefix = os.environ["LENDERY_DB_ROLE_PREFIX"]
    return kept | {"LENDERY_ENV": "local", "LENDERY_DB_ROLE_PREFIX": prefix, "LENDERY_SIMULATION": "1"} | more


@contextmanager
def _place() -> Iterator[None]:
    """Whole platforms take dozens of connections each, of the hundred that a server has: two at a time in a run."""
    places = Path(tempfile.gettempdir()) / "lendery-test-platforms"
    places.mkdir(exist_ok=True)
    with ExitStack() as exits:
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        files = [exits.enter_context((places / f"{run}-{number}").open("w")) for number in range(_PLATFORMS_AT_ONCE)]
        while not any(_locked(file) for file in files):
            time.sleep(0.1)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def one_process(database_url: str | None, home: Path, **more: str) -> Iterator[RunningPlatform]:
    """`lendery up`: the local transport, e-mail caught by the local mailbox, and without a URL the embedded PostgreSQL."""
    port = free_port()
    home.chmod(0o755)  # as root, PostgreSQL runs as somebody else, who must get there
    environment = _environment(LENDERY_PORT=str(port), LENDERY_DATA_DIR=str(home / "data"), **more)
    for name in ("AMQP_URL", "DATABASE_URL"):
        environment.pop(name, None)
    if database_url is not None:
        environment["DATABASE_URL"] = database_url
    platform = RunningPlatform(
        f"http://localhost:{port}", [Process(["up", "--no-demo-data"], environment, home / "up.log")], environment
    )
    with ExitStack() as exits:
        if database_url is not None:
            exits.enter_context(_place())
        exits.callback(platform.stop)
        platform.start()
        yield platform


@contextmanager
def process_a_service(database_url: str, amqp_url: str, home: Path, smtp_port: int) -> Iterator[RunningPlatform]:
    """Every service as its own deployment on RabbitMQ, the ledger's API and worker apart, as in production."""
    ports = {name: free_port() for name in (*_SERVICES, "wallet-ledger-worker", "gateway")}
    url = f"http://localhost:{ports['gateway']}"
    addresses = {f"LENDERY_{name.upper().replace('-', '_')}_URL": f"http://127.0.0.1:{ports[name]}" for name in _SERVICES}
    environment = _environment(
        DATABASE_URL=database_url,
        AMQP_URL=amqp_url,
        LENDERY_AMQP_PREFIX=f"lt{secrets.token_hex(4)}",
        LENDERY_PUBLIC_URL=url,
        LENDERY_JWKS_URL=f"{addresses['LENDERY_AUTH_URL']}/.well-known/jwks.json",
        LENDERY_ENCRYPTION_KEYS="k1:" + urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        LENDERY_SANDBOX_SECRET=secrets.token_hex(32),
        LENDERY_SMTP_URL=f"smtp://127.0.0.1:{smtp_port}",
        LENDERY_STORAGE_URL=(home / "data" / "files").as_uri(),
        LENDERY_AUTO_VERIFY="1",
        **addresses,
    )

    def serve(name: str, service: str, *options: str) -> Process:
        return Process(
            ["serve", service, "--host", "127.0.0.1", "--port", str(ports[name]), *options], environment, home / f"{name}.log"
        )

    processes = [
        serve("auth", "auth"),
        serve("wallet-ledger", "wallet-ledger", "--role", "api"),
        serve("wallet-ledger-worker", "wallet-ledger", "--role", "worker"),
        *(serve(name, name) for name in ("lending", "payments", "notifications", "sandbox")),
        serve("gateway", "gateway"),
    ]
    platform = RunningPlatform(url, processes, environment)
    with ExitStack() as exits:
        exits.enter_context(_place())
        exits.callback(platform.stop)
        platform.start()
        yield platform


async def remove_queues(amqp_url: str, prefix: str) -> None:
    """Delete what a platform with this prefix has declared on the broker."""
    names = ("auth", "wallet_ledger", "lending", "payments", "notifications")
    queues = [f"{prefix}.{name}{suffix}" for name in names for suffix in ("", ".dead")] + [f"{prefix}.unrouted"]
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        for queue in queues:
            await channel.queue_delete(queue)
        for exchange in ("events", "commands", "dead", "unrouted"):
            await channel.exchange_delete(f"{prefix}.{exchange}")
