"""E-mails to send and sent. To whom and what is sealed: what people were told is nobody else's business."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.letter import Content, Letter
from services.notifications.store.tables import emails
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear

EXPIRED = "expired"


class Emails:
    """E-mails, on the connection of a unit of work."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, letter: Letter, *, dedupe_key: str, user_id: UUID | None = None, secret: bool = False) -> None:
        """Keep an e-mail to be sent, unless one with this `dedupe_key` was kept before."""
        values = {
            "id": letter.id,
            "dedupe_key": dedupe_key,
            "user_id": user_id,
            "template": letter.template,
            "recipient": self._vault.encrypt_text(letter.recipient, aad=recipient_place(letter.id)),
            "content": self._seal(letter),
            "secret": secret,
            "status": "pending",
            "next_attempt_at": letter.created_at,
            "give_up_at": letter.give_up_at,
            "created_at": letter.created_at,
        }
        await self._connection.execute(insert(emails).values(values).on_conflict_do_nothing())

    async def due(self, now: datetime, *, limit: int) -> Sequence[Letter]:
        """E-mails to be offered to the server now, those that wait longest first."""
        rows = await self._connection.execute(
            sa.select(emails)
            .where(emails.c.status == "pending", emails.c.next_attempt_at <= now)
            .order_by(emails.c.next_attempt_at, emails.c.id)
            .limit(limit)
        )
        return [self._letter(row) for row in rows]

    async def mark_sent(self, id: UUID, now: datetime) -> None:  # noqa: A002
        """The server took it."""
        await self._settle(emails.c.id == id, now, status="sent", failure=None, attempts=emails.c.attempts + 1)

    async def mark_failed(self, id: UUID, now: datetime, failure: str) -> None:  # noqa: A002
        """The server will never take it."""
        await self._settle(emails.c.id == id, now, status="failed", failure=failure, attempts=emails.c.attempts + 1)

    async def give_up_expired(self, now: datetime) -> Sequence[str]:
        """Fail every e-mail that is not worth sending any more; their templates."""
        return await self._settle(emails.c.give_up_at <= now, now, status="failed", failure=EXPIRED)

    async def postpone(self, ids: Collection[UUID], until: datetime, failure: str, *, counts: bool) -> None:
        """Try again at `until`; `counts` says whether this was an attempt at the e-mails themselves."""
        values: dict[str, Any] = {"next_attempt_at": until, "failure": failure}
        if counts:
            values["attempts"] = emails.c.attempts + 1
        await self._connection.execute(sa.update(emails).where(emails.c.id.in_(ids), emails.c.status == "pending").values(values))

    async def count_pending(self) -> int:
        """How many e-mails wait to be sent."""
        statement = sa.select(sa.func.count()).select_from(emails).where(emails.c.status == "pending")
        return (await self._connection.execute(statement)).scalar_one()

    async def forget_before(self, instant: datetime, *, limit: int) -> int:
        """Delete e-mails that were settled before `instant`; the number deleted."""
        old = sa.select(emails.c.id).where(emails.c.settled_at < instant).limit(limit)
        return (await self._connection.execute(sa.delete(emails).where(emails.c.id.in_(old)))).rowcount

    async def _settle(self, which: sa.ColumnElement[bool], now: datetime, **values: Any) -> Sequence[str]:
        kept = sa.case((emails.c.secret, sa.null()), else_=emails.c.content)
        settled = await self._connection.execute(
            sa.update(emails)
            .where(which, emails.c.status == "pending")
            .values(settled_at=now, content=kept, **values)
            .returning(emails.c.template)
        )
        templates: Sequence[str] = settled.scalars().all()
        return templates

    def _seal(self, letter: Letter) -> bytes:
        return self._vault.encrypt_text(json.dumps(asdict(letter.content)), aad=_place(letter.id))

    def _letter(self, row: sa.Row[Any]) -> Letter:
        content = Content(**json.loads(self._vault.decrypt_text(row.content, aad=_place(row.id))))
        recipient = open_email({"id": row.id, "recipient": row.recipient}, self._vault)["recipient"]
        return Letter(row.id, row.template, recipient, content, row.created_at, row.give_up_at, row.attempts)


def open_email(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `emails` with its recipient opened."""
    return row | {"recipient": open_or_clear(vault, bytes(row["recipient"]), place=recipient_place(row["id"]))}


def recipient_place(email_id: UUID) -> str:
    """Where a sealed recipient belongs."""
    return f"notifications.emails.recipient:{email_id}"


def _place(id: UUID) -> str:  # noqa: A002
    return f"notifications.emails.content:{id}"
