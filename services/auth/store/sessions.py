"""Sessions and their refresh tokens in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.session import RefreshToken, Session
from services.auth.store.tables import ended_grants, refresh_tokens, sessions
from shared.crypto import BlindIndex, Vault
from shared.crypto.rotation import open_or_clear

ADDRESS_INDEX = BlindIndex("address_index", "auth.sessions.address", within="user_id")
_PLACE = ("device", "address")
_PLAIN = [column for column in sessions.c if column.name not in (*_PLACE, ADDRESS_INDEX.column)]


def _session(values: dict[str, Any]) -> Session:
    return Session(**{**values, "methods": tuple(values["methods"])})


class Sessions:
    """Reads and writes sessions on one connection. Whoever rotates a token first locks its session.

    Devices and addresses leave the process only sealed.
    """

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, session: Session) -> None:
        """Insert a session."""
        place = self._sealed(session.id, session.user_id, session.device, session.address)
        await self._connection.execute(sessions.insert().values(asdict(session) | place))

    async def find(self, session_id: UUID, *, lock: bool = False) -> Session | None:
        """The session without its device and address, locked until the end of the transaction if asked."""
        statement = sa.select(*_PLAIN).where(sessions.c.id == session_id)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return _session({**row._mapping, **dict.fromkeys(_PLACE, "")}) if row else None

    async def page_of(self, user_id: UUID, *, now: datetime, after: UUID | None, count: int) -> Sequence[Session]:
        """The living sessions of a person, newest first."""
        statement = (
            sa.select(*_PLAIN, sessions.c.device, sessions.c.address)
            .where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None), sessions.c.expires_at > now)
            .order_by(sessions.c.id.desc())
            .limit(count)
        )
        if after is not None:
            statement = statement.where(sessions.c.id < after)
        found = await self._connection.execute(statement)
        return [_session(open_session(dict(row._mapping), self._vault)) for row in found]

    async def touch(self, session: Session, *, address: str, device: str, now: datetime) -> None:
        """Note where the session was used last."""
        place = self._sealed(session.id, session.user_id, device, address)
        await self._connection.execute(sessions.update().where(sessions.c.id == session.id).values(last_used_at=now, **place))

    async def prove(
        self,
        session_id: UUID,
        *,
        methods: Sequence[str],
        mfa_at: datetime | None = None,
        authenticated_at: datetime | None = None,
    ) -> None:
        """Note that the person proved once more to be there, and how."""
        values: dict[str, Any] = {"methods": list(methods)}
        if mfa_at is not None:
            values["mfa_at"] = mfa_at
        if authenticated_at is not None:
            values["authenticated_at"] = authenticated_at
        await self._connection.execute(sessions.update().where(sessions.c.id == session_id).values(values))

    async def end(
        self, user_id: UUID, *, reason: str, now: datetime, only: UUID | None = None, but: UUID | None = None
    ) -> Sequence[UUID]:
        """End the sessions of a person: all, `only` one, or all `but` one. The ids of those that had not ended."""
        statement = sessions.update().where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        if only is not None:
            statement = statement.where(sessions.c.id == only)
        if but is not None:
            statement = statement.where(sessions.c.id != but)
        ended = await self._connection.execute(statement.values(ended_at=now, end_reason=reason).returning(sessions.c.id))
        return sorted(ended.scalars())

    async def ended_since(self, instant: datetime) -> dict[UUID, datetime]:
        """The sessions, and the grants of API clients, that ended after `instant`, each with when."""
        people = sa.select(sessions.c.id, sessions.c.ended_at).where(sessions.c.ended_at > instant)
        clients = sa.select(ended_grants.c.id, ended_grants.c.ended_at).where(ended_grants.c.ended_at > instant)
        found = await self._connection.execute(people.union_all(clients).order_by("ended_at"))
        return {row.id: row.ended_at for row in found}

    async def note_ended_grants(self, grant_ids: Sequence[UUID], now: datetime) -> None:
        """Remember grants of API clients that were replaced, for as long as tokens of theirs may be about."""
        await self._connection.execute(ended_grants.insert(), [{"id": grant_id, "ended_at": now} for grant_id in grant_ids])

    async def used_from(self, user_id: UUID, address: str, *, since: datetime) -> bool:
        """Whether the person has logged in from this network address since then."""
        indexes = ADDRESS_INDEX.all_of(self._vault, address.encode(), user_id)
        statement = sa.select(sessions.c.id).where(
            sessions.c.user_id == user_id, sessions.c.address_index.in_(indexes), sessions.c.authenticated_at > since
        )
        return (await self._connection.execute(statement.limit(1))).first() is not None

    async def add_token(self, token: RefreshToken) -> None:
        """Insert a refresh token."""
        await self._connection.execute(refresh_tokens.insert().values(asdict(token)))

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        """The token with this hash."""
        return await self._token(refresh_tokens.c.token_hash == token_hash)

    async def child_of(self, token_id: UUID) -> RefreshToken | None:
        """The token that was given in exchange for this one."""
        return await self._token(refresh_tokens.c.parent_id == token_id)

    async def mark_used(self, token_id: UUID, now: datetime) -> None:
        """The token was exchanged for its child."""
        await self._connection.execute(refresh_tokens.update().where(refresh_tokens.c.id == token_id).values(used_at=now))

    async def shorten_tokens(self, session_id: UUID, until: datetime) -> None:
        """Unused refresh tokens of a session work until then at most: another one took their place."""
        unused = sa.and_(refresh_tokens.c.session_id == session_id, refresh_tokens.c.used_at.is_(None))
        sooner = sa.func.least(refresh_tokens.c.expires_at, until)
        await self._connection.execute(refresh_tokens.update().where(unused).values(expires_at=sooner))

    async def forget_before(self, instant: datetime) -> int:
        """Delete sessions, with their tokens, that ended or expired before `instant`; the number deleted."""
        deleted = await self._connection.execute(
            sessions.delete().where(sa.or_(sessions.c.ended_at < instant, sessions.c.expires_at < instant))
        )
        await self._connection.execute(ended_grants.delete().where(ended_grants.c.ended_at < instant))
        return deleted.rowcount

    def _sealed(self, session_id: UUID, user_id: UUID, device: str, address: str) -> dict[str, bytes]:
        return {
            "device": self._vault.encrypt_text(device, aad=device_place(session_id)),
            "address": self._vault.encrypt_text(address, aad=address_place(session_id)),
            ADDRESS_INDEX.column: ADDRESS_INDEX.of(self._vault, address.encode(), user_id),
        }

    async def _token(self, condition: sa.ColumnElement[bool]) -> RefreshToken | None:
        row = (await self._connection.execute(sa.select(refresh_tokens).where(condition))).one_or_none()
        return RefreshToken(**row._mapping) if row else None


def open_session(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `sessions` with its sealed columns opened."""
    return row | {
        "device": open_or_clear(vault, bytes(row["device"]), place=device_place(row["id"])),
        "address": open_or_clear(vault, bytes(row["address"]), place=address_place(row["id"])),
    }


def device_place(session_id: UUID) -> str:
    """Where a sealed device belongs."""
    return f"auth.sessions.device:{session_id}"


def address_place(session_id: UUID) -> str:
    """Where a sealed address belongs."""
    return f"auth.sessions.address:{session_id}"
