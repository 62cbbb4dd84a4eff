"""Passkeys and what they are asked to sign, in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.passkey import ChallengePurpose, Passkey, PasskeyChallenge
from services.auth.store.factor_tables import passkey_challenges, passkeys


class Passkeys:
    """Reads and writes passkeys on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, passkey: Passkey) -> bool:
        """Insert a passkey; False when the credential is known, as anybody's."""
        statement = insert(passkeys).values(asdict(passkey)).on_conflict_do_nothing().returning(passkeys.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def of(self, user_id: UUID) -> Sequence[Passkey]:
        """All of a person, newest first."""
        wanted = sa.select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.id.desc())
        return [_passkey(row) for row in await self._connection.execute(wanted)]

    async def find(self, user_id: UUID, passkey_id: UUID) -> Passkey | None:
        """One of a person."""
        return await self._one(sa.select(passkeys).where(passkeys.c.user_id == user_id, passkeys.c.id == passkey_id))

    async def find_credential(self, credential_id: bytes, *, lock: bool = False) -> Passkey | None:
        """The passkey with this credential, locked until the end of the transaction if asked."""
        wanted = sa.select(passkeys).where(passkeys.c.credential_id == credential_id)
        return await self._one(wanted.with_for_update() if lock else wanted)

    async def save(self, passkey: Passkey) -> None:
        """Write the passkey as it is now."""
        values = asdict(passkey)
        await self._connection.execute(passkeys.update().where(passkeys.c.id == values.pop("id")).values(values))

    async def rename(self, passkey_id: UUID, name: str) -> None:
        """Call it otherwise."""
        await self._connection.execute(passkeys.update().where(passkeys.c.id == passkey_id).values(name=name))

    async def remove(self, user_id: UUID, passkey_id: UUID) -> bool:
        """Delete one of a person; False when there is no such."""
        which = sa.and_(passkeys.c.user_id == user_id, passkeys.c.id == passkey_id)
        return bool((await self._connection.execute(passkeys.delete().where(which))).rowcount)

    async def ask(self, challenge: PasskeyChallenge) -> None:
        """Remember what is to be signed."""
        await self._connection.execute(passkey_challenges.insert().values(asdict(challenge)))

    async def take(self, challenge: bytes, purpose: ChallengePurpose) -> PasskeyChallenge | None:
        """The challenge, gone for everybody else from now on."""
        taken = passkey_challenges.delete().where(
            passkey_challenges.c.challenge == challenge, passkey_challenges.c.purpose == purpose
        )
        row = (await self._connection.execute(taken.returning(passkey_challenges))).one_or_none()
        return PasskeyChallenge(**{**row._mapping, "challenge": bytes(row.challenge)}) if row else None

    async def forget_challenges(self, before: datetime) -> int:
        """Delete challenges that expired before; the number deleted."""
        old = passkey_challenges.delete().where(passkey_challenges.c.expires_at < before)
        return (await self._connection.execute(old)).rowcount

    async def _one(self, wanted: sa.Select[Any]) -> Passkey | None:
        row = (await self._connection.execute(wanted)).one_or_none()
        return _passkey(row) if row else None


def _passkey(row: sa.Row[Any]) -> Passkey:
    values = dict(row._mapping)
    known = {"transports": tuple(row.transports), "credential_id": bytes(row.credential_id), "public_key": bytes(row.public_key)}
    return Passkey(**{**values, **known})
