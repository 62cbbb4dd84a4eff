"""The running embedded server: started, watched, stopped."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.postgres import programs
from runtime.postgres.account import Account, reachable, server_account
from runtime.postgres.binaries import Binaries, find_binaries
from runtime.postgres.cluster import Home, ensure_cluster
from runtime.postgres.configuration import DATABASE, SUPERUSER, command_line_options
from runtime.postgres.leftover import stop_leftover
from runtime.trouble import ExitCode, Trouble, from_os_error

_POLL_SECONDS = 0.02
_START_SECONDS = 180.0
_START_ATTEMPTS = 10
_RETRY_SECONDS = 0.5
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that answers at `url` (with the superuser's password: never log it)."""

    home: Home
    port: int
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        """The address of the platform's database."""
        return _url(self.home, self.port)

    def stopped_by_itself(self) -> Trouble | None:
        """What to tell when the server is gone though nobody stopped it; None while it runs."""
        if self.process.poll() is None:
            return None
        return programs.explain(_tail(self.home.log), self.home.path)

    def stop(self) -> None:
        """Stop fast: open transactions are rolled back, everything committed is on disk."""
        for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is not None:
                return
            self.process.send_signal(signal_number)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


@contextmanager
def embedded_server(
    home_path: Path, say: Callable[[str], None] = lambda _: None, *, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedServer]:
    """A server on the data in `home_path`, made at first use; stopped at the end. Raises `Trouble`.

    The caller holds the data directory's lock and calls from the main thread. `say` is told what takes time. `settings` of
    PostgreSQL replace those that make it small.
    """
    home = Home(home_path)
    account = server_account(home.cluster)
    binaries = find_binaries(account)
    ensure_cluster(home, binaries, account, say)
    try:
        if stop_leftover(home.cluster):
            say("Stopped a database server that was left running")
        server = _start(home, binaries, account, say, settings)
    except OSError as error:
        raise from_os_error(error, home.path) from error
    try:
        yield server
    finally:
        server.stop()


def running_server_url(home_path: Path) -> str | None:
    """The address of the server that another process runs on `home_path`, or None when it was never started."""
    home = Home(home_path)
    port = home.remembered_port()
    if port is None or not home.password_file.exists():
        return None
    return _url(home, port)


def _url(home: Home, port: int) -> str:
    return f"postgresql://{SUPERUSER}:{home.password()}@127.0.0.1:{port}/{DATABASE}"


def _start(
    home: Home, binaries: Binaries, account: Account, say: Callable[[str], None], settings: Mapping[str, str] | None
) -> EmbeddedServer:
    """Start on the remembered port, or another when that is taken. Raises `Trouble` when the server gives up."""
    said = ""
    for _ in range(_START_ATTEMPTS):
        port = _free_port(home.remembered_port())
        home.remember_port(port)
        server = EmbeddedServer(home, port, _spawn(home, binaries, account, port, settings))
        try:
            ready = _wait_until_ready(server, say)
        except BaseException:
            server.stop()
            raise
        if ready:
            return server
        said = _tail(home.log)
        if not _may_pass(said):
            break
        time.sleep(_RETRY_SECONDS)
    raise programs.explain(said, home.path)


def _may_pass(said: str) -> bool:
    """Whether a failed start is worth repeating: a port snatched, or a killed server whose children still go."""
    return "Address already in use" in said or "is still in use" in said or "still attached" in said


def _free_port(preferred: int | None) -> int:
    """`preferred` if nobody listens there, else any free port of the loopback interface."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Trouble(ExitCode.PORT_TAKEN, "No free port on 127.0.0.1 for the local database.")


def _spawn(
    home: Home, binaries: Binaries, account: Account, port: int, settings: Mapping[str, str] | None
) -> "subprocess.Popen[str]":
    # One log a start, and the one before it: bounded, and the last lines are always about the last start.
    if home.log.exists():
        home.log.replace(home.log.with_suffix(".log.1"))
    with home.log.open("w") as log, reachable(home.cluster, account) as (place, descriptors):
        command = [binaries.program("postgres"), "-D", place, *command_line_options(port, settings)]
        return programs.spawn(command, account, descriptors=descriptors, output=log, input_=subprocess.DEVNULL)


def _wait_until_ready(server: EmbeddedServer, say: Callable[[str], None]) -> bool:
    """True when the server takes connections, False when it ended. Recovery after a crash can take a while."""
    started_at = time.monotonic()
    told = False
    while server.process.poll() is None:
        if _status(server) == "ready":
            return True
        waited_seconds = time.monotonic() - started_at
        if waited_seconds > _START_SECONDS:
            raise programs.explain(_tail(server.home.log), server.home.path)
        if waited_seconds > 1 and not told:
            say("Waiting for the database to recover")
            told = True
        time.sleep(_POLL_SECONDS)
    return False


def _status(server: EmbeddedServer) -> str:
    """The server's own word in the last line of its pid file, as pg_ctl reads it."""
    try:
        lines = (server.home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return ""
    if len(lines) < 8 or lines[0] != str(server.process.pid):
        return ""
    return lines[7].strip()


def _tail(log: Path) -> str:
    with log.open("rb") as handle:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - 4096))
        return handle.read().decode(errors="replace")
