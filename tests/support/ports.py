"""Ports for servers that must be told theirs before they start, and keep it over a restart."""

import fcntl
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

_RANGE = (15_000, 30_000)
"""Below what the system gives to outgoing connections: one of those could take the port of a server that restarts."""

_reserved: list[IO[str]] = []
"""Locks on files named after ports, kept as long as this process runs: no other test process chooses the same."""


def free_port() -> int:
    """A port on which nobody listens, and that no other test process is given while this one runs."""
    directory = Path(tempfile.gettempdir()) / "lendery-test-ports"
    directory.mkdir(exist_ok=True)
    choice = random.SystemRandom()
    for _ in range(1000):
        port = choice.randrange(*_RANGE)
        lock = (directory / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            lock.close()
            continue
        _reserved.append(lock)
        return port
    raise RuntimeError("no free port")
