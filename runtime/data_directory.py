"""The place where the local platform keeps everything: database, secrets, caught e-mail.

- `lendery.lock`: held (flock) by the one process that uses the directory; its process id, for messages
- `secrets/`: generated once, 0600
- `files/`: identity documents and exports, sealed (see shared.storage)
- `postgres/`: the embedded PostgreSQL (see runtime.postgres)
- `mailbox/`: e-mail that left the platform, one .eml file each
- `lendery.log`: the log of all services, one JSON object a line; bounded
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.trouble import ExitCode, Trouble, from_os_error, unusable_directory

_PRIVATE_DIRECTORY = 0o700
_PRIVATE_FILE = 0o600


def default_path() -> Path:
    """`$LENDERY_DATA_DIR`, or `lendery` in the user's data directory (XDG base directories)."""
    chosen = os.environ.get("LENDERY_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    user_data = os.environ.get("XDG_DATA_HOME")
    base = Path(user_data) if user_data and os.path.isabs(user_data) else Path.home() / ".local" / "share"
    return base / "lendery"


@dataclass(frozen=True)
class DataDirectory:
    """A data directory that exists and can be written. Make one with `open_data_directory`."""

    path: Path

    @property
    def postgres(self) -> Path:
        """Home of the embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def files(self) -> Path:
        """Home of identity documents and exports, each sealed."""
        return self.path / "files"

    @property
    def mailbox(self) -> Path:
        """Home of caught e-mail."""
        return self.path / "mailbox"

    @property
    def log(self) -> Path:
        """Where `lendery up` writes its log."""
        return self.path / "lendery.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for this process. Raises `Trouble` when another process has it.

        The kernel drops the lock with the process, however it ends, so nothing stale can remain.
        """
        try:
            descriptor = os.open(self.path / "lendery.lock", os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        except OSError as error:
            raise from_os_error(error, self.path) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._in_use(os.read(descriptor, 32).decode(errors="replace").strip()) from None
            # The number is only for the message above: on a full disk the lock holds without it.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def _in_use(self, holder: str) -> Trouble:
        return Trouble(
            ExitCode.DATA_DIRECTORY_IN_USE,
            f"Another lendery (process {holder or 'unknown'}) is running on {self.path}.",
            hint="Stop it first, or start this one with another LENDERY_DATA_DIR and LENDERY_PORT.",
        )

    def secret(self, name: str) -> str:
        """The local secret `name`: 32 random bytes as 64 hex digits, generated at first use and kept."""
        file = self.path / "secrets" / name
        try:
            return file.read_text().strip()
        except FileNotFoundError:
            value = secrets.token_hex(32)
            self._write_private(file, value)
            return value
        except OSError as error:
            raise from_os_error(error, self.path) from error

    def _write_private(self, file: Path, text: str) -> None:
        try:
            file.parent.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
            write_private(file, text)
        except OSError as error:
            raise from_os_error(error, self.path) from error


def open_data_directory(path: Path | None = None) -> DataDirectory:
    """The data directory at `path` (default: `default_path`), made when missing. Raises `Trouble`."""
    path = path or default_path()
    try:
        path.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    except FileExistsError:
        raise unusable_directory(path, "it is a file") from None
    except OSError as error:
        raise from_os_error(error, path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise unusable_directory(path, "you may not write there")
    return DataDirectory(path)


def write_private(file: Path, text: str) -> None:
    """Write `file` for its owner only, all or nothing even when the machine stops half-way."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        draft.rename(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
