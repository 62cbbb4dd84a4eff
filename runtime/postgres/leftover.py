"""A server that outlived the process that started it, and the file that it left behind.

Only for the holder of the data directory's lock: under the lock, a running server is nobody's.
"""

import os
import signal
from pathlib import Path

import psutil

_FAST_STOP_SECONDS = 20.0
_HARD_STOP_SECONDS = 5.0


def stop_leftover(cluster: Path) -> bool:
    """Stop the server that still runs on `cluster`, if one does; True when there was one.

    A `postmaster.pid` that names another program (the number was used again, as in every new container) is made
    harmless: PostgreSQL refuses to start while that number lives, whatever it belongs to.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    try:
        pid = abs(int(lines[0]))
    except (IndexError, ValueError):
        pid_file.unlink()  # cut short by a full disk: written before the server serves anybody
        return False
    process = _server_on(cluster, pid)
    if process is None:
        _disown(pid_file, lines)
        return False
    _stop(process)
    return True


def _server_on(cluster: Path, pid: int) -> psutil.Process | None:
    """The process `pid` if it is a PostgreSQL server working in `cluster`, else None."""
    try:
        process = psutil.Process(pid)
        if process.name() == "postgres" and os.path.samefile(process.cwd(), cluster):
            return process
    except (psutil.Error, OSError):
        pass
    return None


def _disown(pid_file: Path, lines: list[str]) -> None:
    """Replace the process id by our own, which PostgreSQL knows as its parent and does not mind.

    Not deleted: the rest of the file lets PostgreSQL see whether anybody still uses its shared memory.
    """
    details = pid_file.stat()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    os.chown(pid_file, details.st_uid, details.st_gid)


def _stop(process: psutil.Process) -> None:
    """Ask for a fast shutdown; insist when it does not come. What was committed stays in any case."""
    for signal_number, patience_seconds in (
        (signal.SIGINT, _FAST_STOP_SECONDS),
        (signal.SIGQUIT, _HARD_STOP_SECONDS),
        (signal.SIGKILL, _HARD_STOP_SECONDS),
    ):
        try:
            process.send_signal(signal_number)
            process.wait(patience_seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
        return
