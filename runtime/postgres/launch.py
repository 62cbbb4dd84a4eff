"""Becomes a PostgreSQL program: gives up root's rights, asks to be interrupted when the parent dies, and executes it.

    python -I -S launch.py UID GID PARENT PROGRAM ARGUMENT…        (UID and GID `-`: stay who we are)

A script of its own, because running code between fork and exec is not safe in a process with threads, and because it must
be run by root even where the unprivileged user may not read Python. It imports nothing of Lendery.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(uid: str, gid: str, parent: str, *command: str) -> None:
    """Never returns: the process is the program afterwards, with the same process id."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != int(parent):  # it died before we could ask
            os._exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
