"""Codes on their way, and logins that wait for one, in the database."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.second_factor import PendingLogin
from services.auth.domain.sent_code import CodePurpose, SentCode
from services.auth.store.factor_tables import pending_logins, sent_codes
from shared.crypto import Vault


class SentCodes:
    """Reads and writes codes on one connection. Whoever tries one first locks its account."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def put(self, code: SentCode) -> None:
        """Keep a code, in place of an earlier one for the same."""
        values = asdict(code) | {"sent_to": self._vault.encrypt_text(code.sent_to, aad=_place(code.id))}
        statement = insert(sent_codes).values(values)
        await self._connection.execute(statement.on_conflict_do_update(constraint="sent_codes_subject_key", set_=values))

    async def find(self, user_id: UUID, purpose: CodePurpose, subject: UUID) -> SentCode | None:
        """The code that was sent last."""
        row = (await self._connection.execute(sa.select(sent_codes).where(self._is(user_id, purpose, subject)))).one_or_none()
        return self._code(row) if row else None

    async def count_try(self, code_id: UUID) -> None:
        """One more wrong try."""
        await self._connection.execute(sent_codes.update().where(sent_codes.c.id == code_id).values(tries=sent_codes.c.tries + 1))

    async def remove(self, code_id: UUID) -> None:
        """The code was used."""
        await self._connection.execute(sent_codes.delete().where(sent_codes.c.id == code_id))

    async def remove_all(self, user_id: UUID) -> None:
        """No code of this person works any more."""
        await self._connection.execute(sent_codes.delete().where(sent_codes.c.user_id == user_id))

    async def forget_before(self, instant: datetime) -> int:
        """Delete codes that expired before `instant`; the number deleted."""
        return (await self._connection.execute(sent_codes.delete().where(sent_codes.c.expires_at < instant))).rowcount

    def _code(self, row: sa.Row[Any]) -> SentCode:
        sent_to = self._vault.decrypt_text(bytes(row.sent_to), aad=_place(row.id))
        return SentCode(**{**row._mapping, "sent_to": sent_to, "code_hash": bytes(row.code_hash)})

    @staticmethod
    def _is(user_id: UUID, purpose: CodePurpose, subject: UUID) -> sa.ColumnElement[bool]:
        return sa.and_(sent_codes.c.user_id == user_id, sent_codes.c.purpose == purpose, sent_codes.c.subject == subject)


class PendingLogins:
    """Reads and writes logins that wait for their second step."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, pending: PendingLogin) -> None:
        """Insert one."""
        await self._connection.execute(pending_logins.insert().values(asdict(pending)))

    async def find(self, token_hash: bytes) -> PendingLogin | None:
        """The one that the client has the token of."""
        wanted = sa.select(pending_logins).where(pending_logins.c.token_hash == token_hash)
        row = (await self._connection.execute(wanted)).one_or_none()
        return PendingLogin(**{**row._mapping, "methods": tuple(row.methods)}) if row else None

    async def use_up(self, pending_id: UUID, now: datetime) -> None:
        """It has become a session."""
        await self._connection.execute(pending_logins.update().where(pending_logins.c.id == pending_id).values(used_at=now))

    async def remove_all(self, user_id: UUID) -> None:
        """None of this person can be finished any more."""
        await self._connection.execute(pending_logins.delete().where(pending_logins.c.user_id == user_id))

    async def forget_before(self, instant: datetime) -> int:
        """Delete those that expired before `instant`; the number deleted."""
        return (await self._connection.execute(pending_logins.delete().where(pending_logins.c.expires_at < instant))).rowcount


def _place(code_id: UUID) -> str:
    return f"auth.sent_codes.sent_to:{code_id}"
