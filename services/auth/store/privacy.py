"""Exports and erasures in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.privacy import PrivacyKind, PrivacyRequest
from services.auth.store.privacy_tables import privacy_requests


class PrivacyRequests:
    """Reads and writes requests on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, request: PrivacyRequest) -> None:
        """Insert a request."""
        await self._connection.execute(privacy_requests.insert().values(_values(request)))

    async def save(self, request: PrivacyRequest) -> None:
        """Write a request as it is now."""
        await self._connection.execute(
            privacy_requests.update().where(privacy_requests.c.id == request.id).values(_values(request))
        )

    async def find(self, request_id: UUID) -> PrivacyRequest | None:
        """The request; its saga's lock is the lock of both."""
        return await self._one(sa.select(privacy_requests).where(privacy_requests.c.id == request_id))

    async def latest_of(self, user_id: UUID, kind: PrivacyKind) -> PrivacyRequest | None:
        """The last request of a person."""
        statement = sa.select(privacy_requests).where(privacy_requests.c.user_id == user_id, privacy_requests.c.kind == kind)
        return await self._one(statement.order_by(privacy_requests.c.id.desc()).limit(1))

    async def by_secret(self, secret_hash: bytes) -> PrivacyRequest | None:
        """The erasure that a secret belongs to."""
        return await self._one(sa.select(privacy_requests).where(privacy_requests.c.secret_hash == secret_hash))

    async def overdue(self, now: datetime, count: int) -> Sequence[PrivacyRequest]:
        """Archives whose time is over, locked."""
        statement = sa.select(privacy_requests).where(
            privacy_requests.c.kind == "export",
            privacy_requests.c.status == "ready",
            privacy_requests.c.expires_at <= now,
        )
        rows = await self._connection.execute(statement.limit(count).with_for_update(skip_locked=True))
        return [_request(row) for row in rows]

    async def _one(self, statement: sa.Select[Any]) -> PrivacyRequest | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return _request(row) if row else None


def _values(request: PrivacyRequest) -> dict[str, Any]:
    return asdict(request) | {"blockers": list(request.blockers)}


def _request(row: sa.Row[Any]) -> PrivacyRequest:
    values = dict(row._mapping)
    sealed = {name: bytes(values[name]) if values[name] is not None else None for name in ("secret", "secret_hash")}
    return PrivacyRequest(**{**values, **sealed, "blockers": tuple(values["blockers"])})
