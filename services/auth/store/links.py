"""Mailed links in the database."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.links import MailedLink, Purpose
from services.auth.store.tables import mailed_links


class Links:
    """Reads and writes mailed links on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, link: MailedLink) -> None:
        """Insert a link."""
        await self._connection.execute(mailed_links.insert().values(asdict(link)))

    async def find(self, purpose: Purpose, token_hash: bytes, *, lock: bool = False) -> MailedLink | None:
        """The link with this secret, locked until the end of the transaction if asked."""
        statement = sa.select(mailed_links).where(mailed_links.c.token_hash == token_hash, mailed_links.c.purpose == purpose)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return MailedLink(**row._mapping) if row else None

    async def use_up(self, user_id: UUID, purpose: Purpose, now: datetime) -> None:
        """No link of this purpose works any more for this person."""
        await self._connection.execute(
            mailed_links.update()
            .where(mailed_links.c.user_id == user_id, mailed_links.c.purpose == purpose, mailed_links.c.used_at.is_(None))
            .values(used_at=now)
        )

    async def forget_before(self, instant: datetime) -> int:
        """Delete links that expired before `instant`; the number deleted."""
        return (await self._connection.execute(mailed_links.delete().where(mailed_links.c.expires_at < instant))).rowcount
