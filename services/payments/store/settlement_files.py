"""Settlement files that operators uploaded. Only ever added to; their rows are reports as any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.store.tables import settlement_files


@dataclass(frozen=True)
class SettlementFile:
    """A file that was taken whole, for the days (UTC) `first_day` to `last_day`."""

    id: UUID
    provider: str
    first_day: date
    last_day: date
    sha256: bytes
    byte_count: int
    row_count: int
    duplicate_count: int
    uploaded_by: UUID
    uploaded_at: datetime


class SettlementFiles:
    """Files on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, file: SettlementFile) -> tuple[SettlementFile, bool]:
        """Keep a file; one with the same content for the same days that was kept before, and false."""
        table = settlement_files
        row = {column.name: getattr(file, column.name) for column in table.columns}
        added = insert(table).values(row).on_conflict_do_nothing(constraint="settlement_files_content_key").returning(table.c.id)
        if (await self._connection.execute(added)).first() is not None:
            return file, True
        same = (
            table.c.provider == file.provider,
            table.c.first_day == file.first_day,
            table.c.last_day == file.last_day,
            table.c.sha256 == file.sha256,
        )
        return _file((await self._connection.execute(sa.select(table).where(*same))).mappings().one()), False

    async def page(self, provider: str | None, after: UUID | None, limit: int) -> Sequence[SettlementFile]:
        """Files (of one provider), newest first, from the one after `after` on."""
        table = settlement_files
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        if provider is not None:
            query = query.where(table.c.provider == provider)
        if after is not None:
            query = query.where(table.c.id < after)
        return [_file(row) for row in (await self._connection.execute(query)).mappings()]


def _file(row: Any) -> SettlementFile:
    return SettlementFile(**{**row, "sha256": bytes(row["sha256"])})
