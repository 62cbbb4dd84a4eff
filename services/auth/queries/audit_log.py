"""Reads of the audit log."""

from collections.abc import AsyncIterator, Sequence

from services.auth.context import Context
from services.auth.domain.audit import ChainedEntry
from services.auth.store.audit_log import AuditFilter, AuditLog
from shared.http.paging import PageRequest

_ROWS_A_READ = 1_000


async def list_audit_entries(context: Context, page: PageRequest, wanted: AuditFilter) -> Sequence[ChainedEntry]:
    """Entries, newest first; one more than the page holds."""
    async with context.read() as connection:
        return await AuditLog(connection).page(wanted, after=page.after, count=page.fetch)


async def all_audit_entries(context: Context, wanted: AuditFilter) -> AsyncIterator[ChainedEntry]:
    """Every entry that there is now, oldest first, read some at a time: no transaction stays open while a client reads."""
    async with context.read() as connection:
        end, _ = await AuditLog(connection).head()
    position = 0
    while True:
        async with context.read() as connection:
            links = await AuditLog(connection).onward(wanted, after=position, count=_ROWS_A_READ)
        for link in links:
            if link.position > end:
                return
            yield link
        if len(links) < _ROWS_A_READ:
            return
        position = links[-1].position
