"""The data of the embedded server on disk ("cluster"): made once, all or nothing; recognised afterwards."""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.data_directory import write_private
from runtime.postgres import programs
from runtime.postgres.account import Account, reachable
from runtime.postgres.binaries import Binaries
from runtime.postgres.configuration import DATABASE, SUPERUSER, initdb_options
from runtime.trouble import ExitCode, Trouble, disk_full, from_os_error

_DRAFT_PREFIX = "new-"
_NEEDED_BYTES = 150 * 1024 * 1024


@dataclass(frozen=True)
class Home:
    """The directory of the embedded server: the cluster and the few facts about it that must be remembered."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.path / "cluster"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.path / "server.log"

    @property
    def password_file(self) -> Path:
        """The superuser's password, 0600."""
        return self.path / "password"

    @property
    def port_file(self) -> Path:
        """The port of the last start: kept so that other programs' connections survive a restart."""
        return self.path / "port"

    def password(self) -> str:
        """The superuser's password. Raises FileNotFoundError before the first start."""
        return self.password_file.read_text().strip()

    def remembered_port(self) -> int | None:
        """The port of the last start, if there was one."""
        try:
            return int(self.port_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        """Keep `port` for the next start."""
        write_private(self.port_file, str(port))


def ensure_cluster(home: Home, binaries: Binaries, account: Account, say: Callable[[str], None]) -> None:
    """Make the cluster when there is none; check that `binaries` can run the one there is. Raises `Trouble`.

    A new cluster is made aside and renamed when complete: whatever interrupts it, the next start begins afresh.
    """
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in home.path.glob(f"{_DRAFT_PREFIX}*"):
            shutil.rmtree(draft)
        if home.cluster.exists():
            _check(home, binaries, account)
            return
        say("Creating the database")
        if shutil.disk_usage(home.path).free < _NEEDED_BYTES:
            raise disk_full(home.path)
        _create(home, binaries, account)
    except OSError as error:
        raise from_os_error(error, home.path) from error


def _check(home: Home, binaries: Binaries, account: Account) -> None:
    if not account.dropped and home.cluster.stat().st_uid != account.uid:
        raise Trouble(
            ExitCode.DATA_DIRECTORY_UNUSABLE,
            f"The database in {home.cluster} belongs to another user of this machine.",
            hint="Start lendery as the user who made it (or as root), or set another LENDERY_DATA_DIR.",
        )
    try:
        major = (home.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise programs.explain("PG_VERSION is missing from the data directory.", home.path) from None
    if major != str(binaries.major):
        raise Trouble(
            ExitCode.OTHER_POSTGRES_VERSION,
            f"The database in {home.cluster} was made by PostgreSQL {major}; this is PostgreSQL {binaries.major}.",
            hint=f"Start the server of version {major} on it and set DATABASE_URL, or convert it with pg_upgrade, "
            f"or move {home.path} away to start afresh.",
        )
    if not home.password_file.exists():
        _reset_password(home, binaries, account)


def _create(home: Home, binaries: Binaries, account: Account) -> None:
    draft = home.path / f"{_DRAFT_PREFIX}{secrets.token_hex(4)}"
    password = _new_password(home)
    try:
        draft.mkdir(mode=0o700)
        write_private(draft / "password", password)
        account.own(draft)
        account.own(draft / "password")
        with reachable(draft, account) as (place, descriptors):
            files = [f"--pgdata={place}/cluster", f"--pwfile={place}/password"]
            command = [binaries.program("initdb"), *files, *initdb_options()]
            programs.run(command, account, place=home.path, descriptors=descriptors)
        _single_user(draft / "cluster", binaries, account, f"CREATE DATABASE {DATABASE}")
        (draft / "cluster").rename(home.cluster)
        _sync_directory(home.path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _new_password(home: Home) -> str:
    password = secrets.token_hex(24)
    write_private(home.password_file, password)
    return password


def _reset_password(home: Home, binaries: Binaries, account: Account) -> None:
    """The password file was lost: who may write the cluster's files may set another password."""
    draft = secrets.token_hex(24)
    _single_user(home.cluster, binaries, account, f"ALTER ROLE {SUPERUSER} PASSWORD '{draft}'")
    write_private(home.password_file, draft)


def _single_user(cluster: Path, binaries: Binaries, account: Account, statement: str) -> None:
    with reachable(cluster, account) as (place, descriptors):
        command = [binaries.program("postgres"), "--single", "-j", "-D", place, "postgres"]
        programs.run(command, account, place=cluster.parent, descriptors=descriptors, script=f"{statement};\n\n")


def _sync_directory(path: Path) -> None:
    """Make a rename in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
