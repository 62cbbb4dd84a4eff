"""The programs that this benchmark cannot replace: wrk, which asks, and nginx, the yardstick."""

from shutil import which

_WHERE_ELSE = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
NAMES = ("wrk", "nginx")


class ProgramMissing(Exception):
    """The message says which, and how to get them."""


def find() -> dict[str, str]:
    """Where each program is. Raises `ProgramMissing`."""
    found = {name: which(name) or which(name, path=":".join(_WHERE_ELSE)) for name in NAMES}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ProgramMissing(
            f"This benchmark needs {' and '.join(missing)}, and this machine has not. NOTHING WAS MEASURED.\n"
            f"Install with `apt install {' '.join(missing)}`, `brew install {' '.join(missing)}` or the like, and run it again."
        )
    return {name: path for name, path in found.items() if path is not None}
