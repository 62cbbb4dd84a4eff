"""Prove the audit log: follow the chain from its first entry and say where it was touched."""

from services.auth.domain.audit import FIRST_PREVIOUS_HASH, ChainedEntry
from services.auth.store.audit_log import AuditLog
from shared.verification import Check, Walk

_ROWS_A_STRETCH = 5_000


async def _count(walk: Walk) -> int:
    return (await AuditLog(walk.connection).head())[0]


async def _follow(walk: Walk) -> None:
    log = AuditLog(walk.connection)
    position, last_hash = 0, FIRST_PREVIOUS_HASH
    async for links in log.walk(_ROWS_A_STRETCH):
        for link in links:
            _compare(walk, link, position, last_hash)
            position, last_hash = link.position, link.hash
        walk.counts["audit entries"] += len(links)
        walk.advance(len(links))
    _compare_end(walk, position, last_hash, *await log.head())


def _compare(walk: Walk, link: ChainedEntry, position: int, last_hash: bytes) -> None:
    where = f"audit_log entry {link.position} ({link.entry.id})"
    if link.position != position + 1:
        missing = f"{position + 1}" if link.position == position + 2 else f"{position + 1} to {link.position - 1}"
        what = f"entry {missing} before it is missing" if link.position > position else "entries begin at 1: it was put here"
        walk.fault(where, what, position=link.position)
    elif link.previous_hash != last_hash:
        walk.fault(where, "it does not follow the entry before it: one of the two was moved or put here", position=link.position)
    elif link.expected_hash != link.hash:
        walk.fault(where, "its content is not what was hashed: it was edited, moved or put here", position=link.position)


def _compare_end(walk: Walk, position: int, last_hash: bytes, count: int, head: bytes) -> None:
    where = f"audit_log entry {position}"
    if position < count:
        missing = f"{count}" if position + 1 == count else f"{position + 1} to {count}"
        walk.fault(where, f"the chain had {count} entries: entry {missing} is missing at the end", position=position + 1)
    elif position > count:
        walk.fault(where, f"the chain had {count} entries: what follows was put here", position=count + 1)
    elif last_hash != head:
        walk.fault(where, "its hash is not the one that the end of the chain has", position=position)


_GUARDS = """
SELECT count(*) FROM pg_trigger
WHERE tgrelid = 'audit_log'::regclass AND tgenabled = 'O' AND tgname IN ('audit_log_append_only', 'audit_log_no_truncate')
"""


async def _one(walk: Walk) -> int:
    return 1


async def _check_guards(walk: Walk) -> None:
    if (await walk.one(_GUARDS))[0] != 2:
        walk.fault("audit_log", "the triggers that keep it append-only are off")
    walk.advance(1)


AUDIT_LOG = Check("audit log", _follow, _count)
AUDIT_GUARDS = Check("audit log guards", _check_guards, _one)
