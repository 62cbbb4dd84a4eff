"""Counters of attempts in the database. Whose they are is keyed: a hash alone could be made by anybody who guesses."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.throttle import AttemptKey, Attempts
from services.auth.store.tables import attempts
from shared.crypto import BlindIndex, Vault

_SUBJECT = BlindIndex("subject", "auth.attempts.subject")


def _keyed(keys: Collection[AttemptKey]) -> sa.ColumnElement[bool]:
    return sa.tuple_(attempts.c.kind, attempts.c.subject).in_([(key.kind, key.subject) for key in keys])


class AttemptCounters:
    """Reads and writes counters on one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def read(self, keys: Collection[AttemptKey]) -> dict[AttemptKey, Attempts]:
        """The counters that there are."""
        stored = self._stored(keys)
        return await self._read(sa.select(attempts).where(_keyed(stored)), stored)

    async def lock(self, keys: Collection[AttemptKey], now: datetime) -> dict[AttemptKey, Attempts]:
        """Every counter, locked in one order until the end of the transaction; a new one counts 0."""
        stored = self._stored(keys)
        rows = [{"kind": key.kind, "subject": key.subject, "count": 0, "last_at": now} for key in sorted(stored)]
        statement = sa.select(attempts).where(_keyed(stored)).order_by(attempts.c.kind, attempts.c.subject).with_for_update()
        while True:
            await self._connection.execute(insert(attempts).values(rows).on_conflict_do_nothing())
            found = await self._read(statement, stored)
            if len(found) == len(rows):
                return found
            # Somebody began a counter anew between the two statements: it is gone, and can be inserted now.

    async def save(self, counters: Mapping[AttemptKey, Attempts]) -> None:
        """Write counters that were locked."""
        statement = (
            attempts.update()
            .where(attempts.c.kind == sa.bindparam("of_kind"), attempts.c.subject == sa.bindparam("of_subject"))
            .values(count=sa.bindparam("new_count"), last_at=sa.bindparam("new_last"), blocked_until=sa.bindparam("new_block"))
        )
        await self._connection.execute(
            statement,
            [
                {
                    "of_kind": key.kind,
                    "of_subject": key.subject,
                    "new_count": counters[given].count,
                    "new_last": counters[given].last_at,
                    "new_block": counters[given].blocked_until,
                }
                for key, given in self._stored(counters).items()
            ],
        )

    async def forget(self, keys: Collection[AttemptKey]) -> None:
        """Begin anew."""
        await self._connection.execute(attempts.delete().where(_keyed(self._stored(keys))))

    async def forget_before(self, instant: datetime) -> int:
        """Delete counters that were last raised before `instant`; the number deleted."""
        return (await self._connection.execute(attempts.delete().where(attempts.c.last_at < instant))).rowcount

    def _stored(self, keys: Iterable[AttemptKey]) -> dict[AttemptKey, AttemptKey]:
        """The keys as they stand in the table, each with the one that was given."""
        return {AttemptKey(key.kind, _SUBJECT.of(self._vault, key.subject)): key for key in keys}

    async def _read(self, statement: sa.Select[Any], stored: Mapping[AttemptKey, AttemptKey]) -> dict[AttemptKey, Attempts]:
        return {
            stored[AttemptKey(row.kind, bytes(row.subject))]: Attempts(row.count, row.last_at, row.blocked_until)
            for row in await self._connection.execute(statement)
        }
