"""Text messages to send and sent. Number and words are sealed, and gone as soon as there is nothing more to do."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.text_message import TextMessage
from services.notifications.store.tables import texts
from shared.crypto import Vault

EXPIRED = "expired"


class Texts:
    """Text messages, on the connection of a unit of work."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, message: TextMessage) -> None:
        """Keep a message to be sent, unless it was kept before."""
        content = json.dumps({"number": message.number, "words": message.words})
        values = {
            "id": message.id,
            "template": message.template,
            "content": self._vault.encrypt_text(content, aad=_place(message.id)),
            "status": "pending",
            "next_attempt_at": message.created_at,
            "give_up_at": message.give_up_at,
            "created_at": message.created_at,
        }
        await self._connection.execute(insert(texts).values(values).on_conflict_do_nothing())

    async def due(self, now: datetime, *, limit: int) -> Sequence[TextMessage]:
        """Messages to be sent now, those that wait longest first."""
        rows = await self._connection.execute(
            sa.select(texts)
            .where(texts.c.status == "pending", texts.c.next_attempt_at <= now)
            .order_by(texts.c.next_attempt_at, texts.c.id)
            .limit(limit)
        )
        return [self._message(row) for row in rows]

    async def mark_sent(self, message_id: UUID, now: datetime, reference: str | None) -> None:
        """The provider took it."""
        await self._settle(texts.c.id == message_id, now, status="sent", reference=reference, attempts=texts.c.attempts + 1)

    async def mark_failed(self, message_id: UUID, now: datetime, failure: str) -> None:
        """The provider will never take it."""
        await self._settle(texts.c.id == message_id, now, status="failed", failure=failure, attempts=texts.c.attempts + 1)

    async def give_up_expired(self, now: datetime) -> Sequence[str]:
        """Fail every message that is not worth sending any more; their templates."""
        return await self._settle(texts.c.give_up_at <= now, now, status="failed", failure=EXPIRED)

    async def postpone(self, message_id: UUID, until: datetime, failure: str) -> None:
        """Try again at `until`."""
        values = {"next_attempt_at": until, "failure": failure, "attempts": texts.c.attempts + 1}
        await self._connection.execute(texts.update().where(texts.c.id == message_id, texts.c.status == "pending").values(values))

    async def forget_before(self, instant: datetime, *, limit: int) -> int:
        """Delete messages that were settled before `instant`; the number deleted."""
        old = sa.select(texts.c.id).where(texts.c.settled_at < instant).limit(limit)
        return (await self._connection.execute(texts.delete().where(texts.c.id.in_(old)))).rowcount

    async def _settle(self, which: sa.ColumnElement[bool], now: datetime, **values: Any) -> Sequence[str]:
        settled = await self._connection.execute(
            texts.update()
            .where(which, texts.c.status == "pending")
            .values(settled_at=now, content=None, **values)
            .returning(texts.c.template)
        )
        templates: Sequence[str] = settled.scalars().all()
        return templates

    def _message(self, row: sa.Row[Any]) -> TextMessage:
        content = json.loads(self._vault.decrypt_text(bytes(row.content), aad=_place(row.id)))
        return TextMessage(
            row.id, row.template, content["number"], content["words"], row.created_at, row.give_up_at, row.attempts
        )


def _place(message_id: UUID) -> str:
    return f"notifications.texts.content:{message_id}"
