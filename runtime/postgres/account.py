"""Which operating-system user the server runs as, and how that user reaches the files.

PostgreSQL refuses to run as root. Started by root, the server runs as the owner of the existing cluster, else as
`nobody`. That user usually may not walk down to the data directory (/root is closed to others), so on Linux it gets the
directory as an open file descriptor and a path through /proc/self/fd, which needs no permission on the parents.
"""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_UNPRIVILEGED_USER = "nobody"
_UNPRIVILEGED_ID = 65534


@dataclass(frozen=True)
class Account:
    """A user and group of the operating system. `dropped` says that they are not this process's own."""

    uid: int
    gid: int
    dropped: bool

    def own(self, path: Path) -> None:
        """Make this account the owner of `path`."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)

    def may_read(self, path: Path) -> bool:
        """Whether this account can walk down to `path` and read it, going by the permissions for everybody."""
        if not self.dropped:
            return True
        parents_open = all(parent.stat().st_mode & 0o001 for parent in path.parents)
        return parents_open and path.stat().st_mode & 0o005 == 0o005


def server_account(cluster: Path) -> Account:
    """The account for the server whose data is, or will be, at `cluster`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        return Account(owner.st_uid, owner.st_gid, dropped=True)
    try:
        nobody = pwd.getpwnam(_UNPRIVILEGED_USER)
    except KeyError:
        return Account(_UNPRIVILEGED_ID, _UNPRIVILEGED_ID, dropped=True)
    return Account(nobody.pw_uid, nobody.pw_gid, dropped=True)


@contextmanager
def reachable(directory: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """`directory` as `account` can reach it: a path, and the file descriptors that the child must inherit for it."""
    if not account.dropped or sys.platform != "linux":
        yield str(directory), ()
        return
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)
