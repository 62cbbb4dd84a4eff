"""Mailed links in the database."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.links import MailedLink, Purpose
from services.auth.store.tables import mailed_links
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear


class Links:
    """Reads and writes mailed links on one connection. Where they were sent leaves the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, link: MailedLink) -> None:
        """Insert a link."""
        sealed = self._vault.encrypt_text(link.email, aad=_place(link.id))
        await self._connection.execute(mailed_links.insert().values(asdict(link) | {"email": sealed}))

    async def find(self, purpose: Purpose, token_hash: bytes, *, lock: bool = False) -> MailedLink | None:
        """The link with this secret, locked until the end of the transaction if asked."""
        statement = sa.select(mailed_links).where(mailed_links.c.token_hash == token_hash, mailed_links.c.purpose == purpose)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return self._link(row) if row else None

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

    def _link(self, row: sa.Row[Any]) -> MailedLink:
        email = open_or_clear(self._vault, bytes(row.email), place=_place(row.id))
        return MailedLink(**{**row._mapping, "email": email})


def _place(link_id: UUID) -> str:
    return f"auth.mailed_links.email:{link_id}"
