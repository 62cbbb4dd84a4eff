"""Running PostgreSQL's programs as the server's account, and telling what their failures mean."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from runtime.postgres.account import Account
from runtime.trouble import ExitCode, Trouble, disk_full, unusable_directory

_LAUNCH = Path(__file__).with_name("launch.py")
_TOOL_TIMEOUT_SECONDS = 120.0


def spawn(
    command: Sequence[str],
    account: Account,
    *,
    descriptors: Sequence[int],
    output: int | IO[Any],
    input_: int | IO[Any],
) -> "subprocess.Popen[str]":
    """Start a program that ends with this process: on Linux the kernel interrupts it even after a kill -9.

    Call it from the main thread: the kernel takes the end of the calling *thread* for the end of the parent. The child
    gets its own session, so that Ctrl-C in the terminal reaches only us, who stop things in the right order.
    """
    who = [str(account.uid), str(account.gid)] if account.dropped else ["-", "-"]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCH), *who, str(os.getpid()), *command],
        stdin=input_,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        pass_fds=tuple(descriptors),
        start_new_session=True,
    )


def run(command: Sequence[str], account: Account, *, place: Path, descriptors: Sequence[int], script: str = "") -> None:
    """Run a program to its end, with `script` as its input. Raises `Trouble` (about `place`) when it fails."""
    process = spawn(command, account, descriptors=descriptors, output=subprocess.PIPE, input_=subprocess.PIPE)
    try:
        said, _ = process.communicate(script, timeout=_TOOL_TIMEOUT_SECONDS)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        raise explain(said, place)


def explain(said: str, place: Path) -> Trouble:
    """The trouble behind what a PostgreSQL program said before it failed on the data directory `place`."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return disk_full(place)
    if "Permission denied" in said or "Read-only file system" in said:
        return unusable_directory(place, "its files cannot be read or written by the database server's user")
    last_lines = "\n".join(f"  {line}" for line in said.strip().splitlines()[-8:])
    return Trouble(
        ExitCode.DATABASE_DAMAGED,
        f"The local database in {place} does not start. PostgreSQL says:\n{last_lines}",
        hint=f"If nothing in it matters, move {place} away and start again; else restore it from a backup.",
    )
