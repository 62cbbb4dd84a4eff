"""`lendery up`, whole and for real: from nothing, stopped, killed, started again, alone on the machine."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from runtime.demo_data import BORROWER, LENDER
from runtime.trouble import ExitCode
from tests.support.ports import free_port

pytestmark = pytest.mark.slow

_OURS = ("LENDERY_", "DATABASE_URL", "AMQP_URL", "REDIS_URL")
_START_SECONDS = 180
_LARGEST_PROPORTIONAL_BYTES = 450 * 1024 * 1024


class Platform:
    """One run of `lendery up`; `said` grows by what it prints."""

    def __init__(self, data: Path, port: int, *, wrapper: tuple[str, ...] = (), arguments: tuple[str, ...] = ()) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.output = data.with_name("output")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "runtime", "up", *arguments],
                env={**inherited, "LENDERY_DATA_DIR": str(data), "LENDERY_PORT": str(port)},
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        """Everything printed so far."""
        return self.output.read_text()

    def wait_until_ready(self) -> float:
        """The seconds until the addresses were printed; fails when that does not happen."""
        started_at = time.monotonic()
        while "Ctrl-C stops everything" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() - started_at < _START_SECONDS, self.said
            time.sleep(0.05)
        return time.monotonic() - started_at

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def servers(self) -> list[psutil.Process]:
        """The processes of its database."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def platform(data: Path, port: int, **options: tuple[str, ...]) -> Iterator[Platform]:
    """A platform that is gone after the block, however that ends."""
    running = Platform(data, port, **options)
    try:
        yield running
    finally:
        with suppress(subprocess.TimeoutExpired):
            running.end(signal.SIGTERM)
        running.process.kill()
        running.process.wait()


@pytest.fixture
def port() -> int:
    """A port of this test's own."""
    return free_port()


@contextmanager
def log_in(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """A client with an access token."""
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        answer = client.post("/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def test_up_from_nothing_then_stopped_killed_and_started_again(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"

    with platform(data, port) as first:
        first.wait_until_ready()
        assert "\x1b" not in first.said
        for shown in (f"http://localhost:{port}", BORROWER.email, LENDER.password, "admin@lendery.test", str(data)):
            assert shown in first.said
        assert_everything_answers(first)
        assert_demo_logins_are_complete(first)
        assert proportional_bytes(first) < _LARGEST_PROPORTIONAL_BYTES
        servers = first.servers()
        stopped_at = time.monotonic()
        assert first.end(signal.SIGINT) == ExitCode.OK
        assert time.monotonic() - stopped_at < 20
        assert first.said.rstrip().endswith("The data stays.")
        assert not [one for one in servers if one.is_running()], "the database outlived the platform"
    secrets = {file.name: (file.read_text(), file.stat().st_mode & 0o777) for file in (data / "secrets").iterdir()}
    assert {mode for _, mode in secrets.values()} == {0o600}

    with platform(data, port) as second:
        second.wait_until_ready()
        assert "Making the demo login" not in second.said
        assert_demo_logins_are_complete(second)
        assert second.end(signal.SIGKILL) == -signal.SIGKILL

    with platform(data, port) as third:
        third.wait_until_ready()
        assert_demo_logins_are_complete(third)
        assert third.end(signal.SIGTERM) == ExitCode.OK
    assert {file.name: file.read_text() for file in (data / "secrets").iterdir()} == {
        name: text for name, (text, _) in secrets.items()
    }


def assert_everything_answers(running: Platform) -> None:
    """The gateway finds every service, and shows the pages of a laptop."""
    with httpx.Client(base_url=running.url, timeout=20, trust_env=False) as anybody:
        checks = anybody.get("/readyz").json()["checks"]
        services = {"auth", "wallet_ledger", "lending", "payments", "notifications", "sandbox", "mailbox"}
        assert {name for name, check in checks.items() if check["state"] == "up"} == services
        described = anybody.get("/openapi.json")
        assert described.status_code == 200
        assert "X-Missing-Services" not in described.headers
        assert anybody.get("/.well-known/jwks.json").json()["keys"]
        letters = anybody.get("/mailbox/messages", params={"to": BORROWER.email}).json()["items"]
        assert letters
        assert "Mailbox" in anybody.get("/mailbox").text


def assert_demo_logins_are_complete(running: Platform) -> None:
    """Both may lend and borrow, and the lender has money, once."""
    for login in (BORROWER, LENDER):
        with log_in(running.url, login.email, login.password) as person:
            me = person.get("/v1/me").json()
            assert (me["email_verified"], me["kyc_status"]) == (True, "approved")
            deposits = person.get("/v1/deposits").json()["items"]
            balances = [wallet["balance"] for wallet in person.get("/v1/wallets").json()["items"]]
            assert len(deposits) == (1 if login is LENDER else 0)
            assert balances == [sum(deposit["amount"] for deposit in deposits)]


def proportional_bytes(running: Platform) -> int:
    """Memory of all processes, each shared page counted once."""
    family = [psutil.Process(running.process.pid), *running.servers()]
    return sum(one.memory_full_info().pss for one in family)


def test_a_second_one_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    with platform(data, port, arguments=("--no-demo-data",)) as first:
        first.wait_until_ready()
        assert BORROWER.email not in first.said
        (tmp_path / "other").mkdir()
        with platform(data, 0) as second:
            assert second.process.wait(60) == ExitCode.DATA_DIRECTORY_IN_USE
        assert httpx.get(f"{first.url}/readyz", trust_env=False).status_code == 200
        first.servers()[0].kill()
        assert first.process.wait(60) == ExitCode.DATABASE_DAMAGED, "nobody noticed that the database is gone"


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"), reason="needs a network namespace"
)
def test_nothing_but_the_loopback_interface_is_needed(tmp_path: Path) -> None:
    alone = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    with platform(tmp_path / "data", 8000, wrapper=alone) as running:
        running.wait_until_ready()
        assert BORROWER.email in running.said
        assert running.end(signal.SIGTERM) == ExitCode.OK
