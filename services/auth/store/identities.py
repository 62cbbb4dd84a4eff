"""Identities of other providers, and sign-ons under way, in the database."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.sign_on import ForeignIdentity, Identity, SignOnAttempt, SignOnSecrets
from services.auth.store.access_tables import identities, identity_confirmations, sign_on_attempts
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear


class Identities:
    """Reads and writes identities on one connection. Addresses leave the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, identity: Identity) -> None:
        """Insert an identity."""
        await self._connection.execute(
            identities.insert().values(asdict(identity) | {"email": self._sealed(identity.id, identity.email)})
        )

    async def find(self, issuer: str, subject: str) -> Identity | None:
        """The identity of somebody at a provider, locked until the end of the transaction."""
        statement = sa.select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
        row = (await self._connection.execute(statement.with_for_update())).one_or_none()
        return self._identity(row) if row else None

    async def of(self, user_id: UUID) -> Sequence[Identity]:
        """The identities of an account, oldest first."""
        statement = sa.select(identities).where(identities.c.user_id == user_id).order_by(identities.c.id)
        return [self._identity(row) for row in await self._connection.execute(statement)]

    async def touch(self, identity_id: UUID, *, email: str, now: datetime) -> None:
        """Note when it was used last, and its e-mail address there."""
        await self._connection.execute(
            identities.update()
            .where(identities.c.id == identity_id)
            .values(last_used_at=now, email=self._sealed(identity_id, email))
        )

    async def delete(self, identity_id: UUID) -> None:
        """Remove an identity."""
        await self._connection.execute(identities.delete().where(identities.c.id == identity_id))

    async def ask_confirmation(self, link_id: UUID, foreign: ForeignIdentity) -> None:
        """Remember what the owner of an account confirms with this link."""
        values = {"link_id": link_id, "provider": foreign.provider, "issuer": foreign.issuer, "subject": foreign.subject}
        await self._connection.execute(identity_confirmations.insert().values(values))

    async def to_confirm(self, link_id: UUID) -> tuple[str, str, str] | None:
        """Provider, issuer and subject that this link confirms."""
        statement = sa.select(identity_confirmations).where(identity_confirmations.c.link_id == link_id)
        row = (await self._connection.execute(statement)).one_or_none()
        return (row.provider, row.issuer, row.subject) if row else None

    def _sealed(self, identity_id: UUID, email: str) -> bytes:
        return self._vault.encrypt_text(email, aad=email_place(identity_id))

    def _identity(self, row: sa.Row[Any]) -> Identity:
        return Identity(**open_identity(dict(row._mapping), self._vault))


class SignOnAttempts:
    """Reads and writes sign-ons under way. Their secrets leave the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, attempt: SignOnAttempt) -> None:
        """Insert an attempt."""
        sealed = self._vault.encrypt_text(json.dumps(asdict(attempt.secrets)), aad=_place(attempt.id))
        await self._connection.execute(sign_on_attempts.insert().values(asdict(attempt) | {"secrets": sealed}))

    async def by_state(self, state_hash: bytes) -> SignOnAttempt | None:
        """The attempt with this state, locked until the end of the transaction."""
        return await self._one(sign_on_attempts.c.state_hash == state_hash)

    async def by_code(self, code_hash: bytes) -> SignOnAttempt | None:
        """The attempt with this one-time code, locked until the end of the transaction."""
        return await self._one(sign_on_attempts.c.code_hash == code_hash)

    async def save(self, attempt: SignOnAttempt) -> None:
        """Write how far it has come."""
        values = {name: value for name, value in asdict(attempt).items() if name not in ("id", "secrets")}
        await self._connection.execute(sign_on_attempts.update().where(sign_on_attempts.c.id == attempt.id).values(values))

    async def forget_before(self, instant: datetime) -> int:
        """Delete attempts that were over before `instant`; the number deleted."""
        deleted = await self._connection.execute(sign_on_attempts.delete().where(sign_on_attempts.c.expires_at < instant))
        return deleted.rowcount

    async def _one(self, condition: sa.ColumnElement[bool]) -> SignOnAttempt | None:
        row = (await self._connection.execute(sa.select(sign_on_attempts).where(condition).with_for_update())).one_or_none()
        if row is None:
            return None
        values: dict[str, Any] = dict(row._mapping)
        opened = json.loads(self._vault.decrypt_text(bytes(row.secrets), aad=_place(row.id)))
        return SignOnAttempt(**{**values, "secrets": SignOnSecrets(**opened)})


def _place(attempt_id: UUID) -> str:
    return f"auth.sign_on_attempts.secrets:{attempt_id}"


def open_identity(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `identities` with its sealed column opened."""
    return row | {"email": open_or_clear(vault, bytes(row["email"]), place=email_place(row["id"]))}


def email_place(identity_id: UUID) -> str:
    """Where a sealed address belongs."""
    return f"auth.identities.email:{identity_id}"
