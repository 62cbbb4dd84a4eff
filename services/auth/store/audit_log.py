"""The record of who did what. Rows can be added and read, nothing else; each holds the hash of the one before."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.audit import AuditEntry, ChainedEntry, chained
from services.auth.store.tables import audit_chain, audit_log

_ENTRY_COLUMNS = tuple(field.name for field in fields(AuditEntry))


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: everything that is given must hold. `since` counts, `until` does not."""

    service: str | None = None
    action: str | None = None
    actor_id: UUID | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As SQL."""
        by_value = ("service", "action", "actor_id", "subject_kind", "subject_id", "request_id")
        wanted = {name: getattr(self, name) for name in by_value}
        found: list[sa.ColumnElement[bool]] = [audit_log.c[name] == value for name, value in wanted.items() if value is not None]
        if self.since is not None:
            found.append(audit_log.c.happened_at >= self.since)
        if self.until is not None:
            found.append(audit_log.c.happened_at < self.until)
        return found


class AuditLog:
    """Adds and reads entries on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, entries: Iterable[AuditEntry]) -> None:
        """Put entries at the end of the chain, whose head stays locked until the end of the transaction: append last."""
        head = (await self._connection.execute(sa.select(audit_chain).with_for_update())).one()
        position, last_hash = head.position, bytes(head.hash)
        rows = []
        for entry in entries:
            link = chained(entry, position + 1, last_hash)
            position, last_hash = link.position, link.hash
            rows.append(_row(link))
        await self._connection.execute(audit_log.insert().values(rows))
        await self._connection.execute(audit_chain.update().values(position=position, hash=last_hash))

    async def page(self, wanted: AuditFilter, *, after: UUID | None, count: int) -> Sequence[ChainedEntry]:
        """Entries, the last that was appended first."""
        statement = sa.select(audit_log).where(*wanted.conditions()).order_by(audit_log.c.position.desc()).limit(count)
        if after is not None:
            place = sa.select(audit_log.c.position).where(audit_log.c.id == after).scalar_subquery()
            statement = statement.where(audit_log.c.position < place)
        return [_link(row) for row in await self._connection.execute(statement)]

    async def onward(self, wanted: AuditFilter, *, after: int, count: int) -> Sequence[ChainedEntry]:
        """Entries behind a position, in the order of the chain."""
        statement = sa.select(audit_log).where(audit_log.c.position > after, *wanted.conditions())
        return [_link(row) for row in await self._connection.execute(statement.order_by(audit_log.c.position).limit(count))]

    async def head(self) -> tuple[int, bytes]:
        """How many entries the chain has, and the hash of the last."""
        row = (await self._connection.execute(sa.select(audit_chain))).one()
        return row.position, bytes(row.hash)

    async def walk(self, stretch: int) -> AsyncIterator[Sequence[ChainedEntry]]:
        """The whole chain in stretches."""
        position = -1
        while links := await self.onward(AuditFilter(), after=position, count=stretch):
            yield links
            position = links[-1].position


def _row(link: ChainedEntry) -> dict[str, Any]:
    return {**asdict(link.entry), "position": link.position, "previous_hash": link.previous_hash, "hash": link.hash}


def _link(row: sa.Row[Any]) -> ChainedEntry:
    entry = AuditEntry(**{name: row._mapping[name] for name in _ENTRY_COLUMNS})
    return ChainedEntry(row.position, entry, bytes(row.previous_hash), bytes(row.hash))
