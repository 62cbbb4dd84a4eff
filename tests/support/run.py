"""Who owns what the tests leave on a shared server: names that say which process made them.

Databases and roles outlive a process that is killed. Their names carry this machine and the process, so that the next run
can remove what belongs to nobody any more, and touches nothing of a run that still goes on.
"""

import hashlib
import os
import re
import secrets
import socket
from contextlib import suppress
from pathlib import Path

_OWNER = re.compile(r"([0-9a-f]{6})p(\d+)x[0-9a-f]{4}")


def _here() -> str:
    """This machine, or this container: where a process id means a process."""
    space = ""
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:6]


RUN = f"{_here()}p{os.getpid()}x{secrets.token_hex(2)}"
"""This process, in names."""

ROLE_PREFIX = f"lt{RUN}"
"""Roles are the server's, not a database's: each process has its own."""


def database_name(kind: str) -> str:
    """A new name for a database of this process."""
    return f"lendery_{kind}_{RUN}_{secrets.token_hex(3)}"


def is_left_over(name: str) -> bool:
    """Whether `name` was made by a process of this machine that is gone."""
    found = _OWNER.search(name)
    if found is None or found[1] != _here():
        return False
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
