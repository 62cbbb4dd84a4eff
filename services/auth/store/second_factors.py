"""Second factors and recovery codes in the database. What codes are made from is sealed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.second_factor import CodeMethod, Factors, SecondFactor
from services.auth.store.factor_tables import passkeys, recovery_codes, second_factors
from shared.crypto import Vault
from shared.ids import new_id


class SecondFactors:
    """Reads and writes second factors on one connection. Whoever changes one first locks its account."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def of(self, user_id: UUID) -> Factors:
        """Everything that counts as a second factor of the account."""
        confirmed = second_factors.c.confirmed_at.is_not(None)
        rows = await self._connection.execute(sa.select(second_factors).where(second_factors.c.user_id == user_id, confirmed))
        codes = tuple(self._factor(row) for row in rows)
        own = passkeys.c.user_id == user_id
        good = sa.select(sa.func.count()).where(own, passkeys.c.suspected_at.is_(None))
        suspected = sa.select(sa.func.count()).where(own, passkeys.c.suspected_at.is_not(None))
        left = sa.select(sa.func.count()).where(recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None))
        wanted = sa.select(*(count.scalar_subquery() for count in (good, suspected, left)))
        counts = (await self._connection.execute(wanted)).one()
        return Factors(codes, *counts)

    async def find(self, user_id: UUID, method: CodeMethod) -> SecondFactor | None:
        """The factor of this method, confirmed or begun."""
        wanted = sa.select(second_factors).where(second_factors.c.user_id == user_id, second_factors.c.method == method)
        row = (await self._connection.execute(wanted)).one_or_none()
        return self._factor(row) if row else None

    async def begin(self, factor: SecondFactor) -> None:
        """Keep a factor that is to be confirmed, in place of one that never was."""
        values = asdict(factor) | {"secret": self._sealed(factor)}
        statement = insert(second_factors).values(values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                constraint="second_factors_user_id_method_key", set_=values, where=second_factors.c.confirmed_at.is_(None)
            )
        )

    async def save_use(self, factor: SecondFactor) -> None:
        """Write that a right code came."""
        await self._connection.execute(
            second_factors.update()
            .where(second_factors.c.id == factor.id)
            .values(last_step=factor.last_step, confirmed_at=factor.confirmed_at, last_used_at=factor.last_used_at)
        )

    async def remove(self, user_id: UUID, method: CodeMethod) -> None:
        """Delete a factor."""
        which = sa.and_(second_factors.c.user_id == user_id, second_factors.c.method == method)
        await self._connection.execute(second_factors.delete().where(which))

    async def remove_all(self, user_id: UUID) -> None:
        """Delete every factor, passkey and recovery code of a person."""
        for table in (second_factors, passkeys, recovery_codes):
            await self._connection.execute(table.delete().where(table.c.user_id == user_id))

    async def replace_recovery_codes(self, user_id: UUID, hashes: Sequence[bytes], now: datetime) -> None:
        """From now on exactly these recovery codes work."""
        await self._connection.execute(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
        if hashes:
            rows = [{"id": new_id(), "user_id": user_id, "code_hash": code_hash, "created_at": now} for code_hash in hashes]
            await self._connection.execute(recovery_codes.insert(), rows)

    async def use_recovery_code(self, user_id: UUID, code_hash: bytes, now: datetime) -> bool:
        """Use a recovery code up; False when the person has no such unused code."""
        used = await self._connection.execute(
            recovery_codes.update()
            .where(
                recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash, recovery_codes.c.used_at.is_(None)
            )
            .values(used_at=now)
        )
        return bool(used.rowcount)

    async def forget_unconfirmed(self, begun_before: datetime) -> int:
        """Delete factors that were begun before and never confirmed; the number deleted."""
        old = sa.and_(second_factors.c.confirmed_at.is_(None), second_factors.c.created_at < begun_before)
        return (await self._connection.execute(second_factors.delete().where(old))).rowcount

    def _sealed(self, factor: SecondFactor) -> bytes | None:
        return None if factor.secret is None else self._vault.encrypt(factor.secret, aad=_place(factor.id))

    def _factor(self, row: sa.Row[Any]) -> SecondFactor:
        secret = None if row.secret is None else self._vault.decrypt(bytes(row.secret), aad=_place(row.id))
        return SecondFactor(**{**row._mapping, "secret": secret})


def _place(factor_id: UUID) -> str:
    return f"auth.second_factors.secret:{factor_id}"
