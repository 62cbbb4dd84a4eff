"""What can go wrong outside the program, told to the person who started it: a sentence, a way out, an exit code."""

import errno
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """How a `lendery` command ended. The numbers are part of the command line's contract."""

    OK = 0
    FAULT = 1
    USAGE = 2
    PORT_TAKEN = 10
    DATA_DIRECTORY_IN_USE = 11
    DATA_DIRECTORY_UNUSABLE = 12
    DISK_FULL = 13
    OTHER_POSTGRES_VERSION = 14
    DATABASE_DAMAGED = 15
    SERVER_UNREACHABLE = 16
    SERVICE_FAILED = 17


EXIT_CODES: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.FAULT: "the command found a fault (verify), or failed in an unexpected way",
    ExitCode.USAGE: "wrong options or configuration",
    ExitCode.PORT_TAKEN: "the port is used by another program",
    ExitCode.DATA_DIRECTORY_IN_USE: "another lendery is running on this data directory",
    ExitCode.DATA_DIRECTORY_UNUSABLE: "the data directory cannot be written",
    ExitCode.DISK_FULL: "the disk is full",
    ExitCode.OTHER_POSTGRES_VERSION: "the data directory was made by another PostgreSQL version",
    ExitCode.DATABASE_DAMAGED: "the local database does not start",
    ExitCode.SERVER_UNREACHABLE: "PostgreSQL or RabbitMQ cannot be reached",
    ExitCode.SERVICE_FAILED: "a service did not start, or stopped by itself",
}


class Trouble(Exception):
    """Ends a command with `message`, `hint` (what to do about it) and `exit_code`, and no traceback."""

    def __init__(self, exit_code: ExitCode, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.hint = hint


def disk_full(path: Path) -> Trouble:
    """No room for `path`."""
    return Trouble(
        ExitCode.DISK_FULL,
        f"The disk that holds {path} is full.",
        hint="Free some space (a fresh platform needs about 200 MB), or set LENDERY_DATA_DIR to another disk.",
    )


def unusable_directory(path: Path, reason: str) -> Trouble:
    """`path` cannot be made or written."""
    return Trouble(
        ExitCode.DATA_DIRECTORY_UNUSABLE,
        f"The data directory {path} cannot be used: {reason}.",
        hint="Set LENDERY_DATA_DIR to a directory that you may write, or change the owner of this one.",
    )


def from_os_error(error: OSError, path: Path) -> Trouble:
    """The trouble that an operating-system error about the data directory `path` means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(path)
    return unusable_directory(path, (error.strerror or str(error)).lower())
