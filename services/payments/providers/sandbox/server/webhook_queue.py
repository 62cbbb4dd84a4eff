"""Webhooks that the provider owes: written with what they tell, kept until delivered or three days old."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.sandbox.server.tables import webhooks
from shared.ids import new_id

LEASE = timedelta(seconds=30)
GIVE_UP_AFTER = timedelta(days=3)
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 300.0
_BATCH = 20


@dataclass(frozen=True)
class Webhook:
    """One webhook to be sent; `attempts` counts the present one."""

    id: UUID
    body: str
    attempts: int
    created_at: datetime


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many attempts failed."""
    return timedelta(seconds=min(_FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 20), _LONGEST_PAUSE_SECONDS))


async def add(connection: AsyncConnection, kind: str, data: Mapping[str, Any], now: datetime) -> None:
    """Owe a webhook, in the transaction of what it tells about."""
    event_id = new_id()
    body = {"id": f"evt_{event_id.hex}", "type": kind, "created_at": now.isoformat(), "data": dict(data)}
    await connection.execute(webhooks.insert().values(id=event_id, body=json.dumps(body), created_at=now, next_attempt_at=now))


async def take_due(connection: AsyncConnection, now: datetime) -> list[Webhook]:
    """Webhooks to be sent now. Each is leased for a while, so that a courier that dies delays it and loses nothing."""
    due = (
        sa.select(webhooks.c.id)
        .where(webhooks.c.next_attempt_at <= now)
        .order_by(webhooks.c.next_attempt_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = await connection.execute(
        webhooks.update()
        .where(webhooks.c.id.in_(due.scalar_subquery()))
        .values(attempts=webhooks.c.attempts + 1, next_attempt_at=now + LEASE)
        .returning(webhooks.c.id, webhooks.c.body, webhooks.c.attempts, webhooks.c.created_at)
    )
    return [Webhook(**row) for row in rows.mappings()]


async def delivered(connection: AsyncConnection, webhook: Webhook, now: datetime) -> None:
    """Note that the platform has taken it."""
    await connection.execute(
        webhooks.update().where(webhooks.c.id == webhook.id).values(delivered_at=now, next_attempt_at=None, last_error=None)
    )


async def postponed(connection: AsyncConnection, webhook: Webhook, error: str, now: datetime) -> None:
    """Try again later, or never when it is too old."""
    again_at = now + pause_after(webhook.attempts)
    given_up = again_at > webhook.created_at + GIVE_UP_AFTER
    await connection.execute(
        webhooks.update()
        .where(webhooks.c.id == webhook.id)
        .values(next_attempt_at=None if given_up else again_at, last_error=error)
    )
