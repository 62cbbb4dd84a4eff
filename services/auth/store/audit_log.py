"""The record of who did what. Rows can be added and read, nothing else."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.audit import AuditEntry
from services.auth.store.tables import audit_log


class AuditLog:
    """Adds and reads entries on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> None:
        """Append an entry."""
        await self._connection.execute(audit_log.insert().values(asdict(entry)))

    async def page(
        self, *, after: UUID | None, count: int, action: str | None, actor_id: UUID | None, subject_id: UUID | None
    ) -> Sequence[AuditEntry]:
        """Entries, newest first."""
        shown = [column for column in audit_log.c if column.name != "position"]
        statement = sa.select(*shown).order_by(audit_log.c.id.desc()).limit(count)
        for column, wanted in (
            (audit_log.c.action, action),
            (audit_log.c.actor_id, actor_id),
            (audit_log.c.subject_id, subject_id),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if after is not None:
            statement = statement.where(audit_log.c.id < after)
        return [AuditEntry(**row._mapping) for row in await self._connection.execute(statement)]
