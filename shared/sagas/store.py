"""Sagas in PostgreSQL: a row each, locked while it is being advanced."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.sagas.definition import Definition, Saga, SagaData

D = TypeVar("D", bound=SagaData)

_ADD = """
INSERT INTO sagas (kind, id, state, data, deadline_at) VALUES ($1, $2, $3, $4::text::jsonb, $5)
ON CONFLICT DO NOTHING RETURNING true
"""
_LOAD = "SELECT id, state, data::text, deadline_at, version FROM sagas WHERE kind = $1 AND id = $2 FOR UPDATE"
_SAVE = """
UPDATE sagas
SET state = $3, data = $4::text::jsonb, deadline_at = $5, version = version + 1, updated_at = clock_timestamp()
WHERE kind = $1 AND id = $2 AND version = $6 RETURNING true
"""
_DUE = """
SELECT id, state, data::text, deadline_at, version FROM sagas
WHERE kind = $1 AND deadline_at <= $2 ORDER BY deadline_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""


class StaleSaga(Exception):
    """The saga was saved by somebody else since it was read: it had not been loaded under its lock."""


class SagaStore:
    """The sagas of a service, on the connection of a unit of work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, saga: Saga[Any]) -> bool:
        """Insert a saga that has begun; false when this (kind, id) exists already, which is then left alone."""
        values = (saga.kind, saga.id, saga.state.value, saga.data.model_dump_json(), saga.deadline_at)
        added = await self._connection.exec_driver_sql(_ADD, values)
        return added.first() is not None

    async def load(self, definition: Definition[D], id: UUID) -> Saga[D] | None:  # noqa: A002
        """The saga, its row locked until the transaction ends, or None."""
        row = (await self._connection.exec_driver_sql(_LOAD, (definition.kind, id))).first()
        return _read(definition, row) if row is not None else None

    async def save(self, saga: Saga[Any]) -> None:
        """Write a saga that was loaded and advanced in this transaction. Raises `StaleSaga`."""
        values = (
            saga.kind, saga.id, saga.state.value, saga.data.model_dump_json(), saga.deadline_at, saga.version,
        )  # fmt: skip
        saved = await self._connection.exec_driver_sql(_SAVE, values)
        if saved.first() is None:
            raise StaleSaga(f"{saga.kind} {saga.id} is not at version {saga.version} any more")

    async def due(self, definition: Definition[D], now: datetime, *, limit: int) -> Sequence[Saga[D]]:
        """Sagas whose deadline has passed, the longest overdue first, locked; those locked elsewhere are left out."""
        rows = await self._connection.exec_driver_sql(_DUE, (definition.kind, now, limit))
        return [_read(definition, row) for row in rows]


def _read(definition: Definition[D], row: Row[Any]) -> Saga[D]:
    return Saga(
        id=row.id,
        kind=definition.kind,
        state=definition.states(row.state),
        data=definition.data.model_validate_json(row.data),
        deadline_at=row.deadline_at,
        version=row.version,
    )
