"""Role grants in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.role_grant import RoleGrant
from services.auth.store.access_tables import role_grants


def _grant(row: sa.Row[Any]) -> RoleGrant:
    values = dict(row._mapping)
    return RoleGrant(**{**values, "roles": tuple(values["roles"])})


class RoleGrants:
    """Reads and writes role grants on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, grant: RoleGrant) -> None:
        """Insert a grant."""
        await self._connection.execute(role_grants.insert().values(asdict(grant)))

    async def find(self, grant_id: UUID, *, lock: bool = False) -> RoleGrant | None:
        """The grant, locked until the end of the transaction if asked."""
        statement = sa.select(role_grants).where(role_grants.c.id == grant_id)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return _grant(row) if row else None

    async def open_of(self, user_id: UUID, *, lock: bool = False) -> RoleGrant | None:
        """What nobody has decided about this person yet."""
        statement = sa.select(role_grants).where(role_grants.c.user_id == user_id, role_grants.c.status == "awaiting_approval")
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return _grant(row) if row else None

    async def overdue(self, now: datetime, *, count: int) -> Sequence[RoleGrant]:
        """Open ones whose time is over, locked; those that others are working on are left to them."""
        statement = (
            sa.select(role_grants)
            .where(role_grants.c.status == "awaiting_approval", role_grants.c.expires_at <= now)
            .order_by(role_grants.c.id)
            .limit(count)
            .with_for_update(skip_locked=True)
        )
        return [_grant(row) for row in await self._connection.execute(statement)]

    async def page(self, *, status: str | None, after: UUID | None, count: int) -> Sequence[RoleGrant]:
        """Grants, newest first."""
        statement = sa.select(role_grants).order_by(role_grants.c.id.desc()).limit(count)
        if status is not None:
            statement = statement.where(role_grants.c.status == status)
        if after is not None:
            statement = statement.where(role_grants.c.id < after)
        return [_grant(row) for row in await self._connection.execute(statement)]

    async def save(self, grant: RoleGrant) -> None:
        """Write the grant as it is now."""
        values = asdict(grant)
        await self._connection.execute(role_grants.update().where(role_grants.c.id == values.pop("id")).values(values))
