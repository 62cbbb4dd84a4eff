"""Accounts in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.user import User
from services.auth.store.tables import users
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear


class Users:
    """Reads and writes accounts on one connection. Names and phone numbers leave the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add_if_email_is_free(self, user: User) -> bool:
        """Insert the account; False when its e-mail address has one, then nothing is written."""
        statement = (
            insert(users).values(self._values(user)).on_conflict_do_nothing(index_elements=["email"]).returning(users.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def find(self, user_id: UUID, *, lock: bool = False) -> User | None:
        """The account, locked until the end of the transaction if asked."""
        return await self._one(sa.select(users).where(users.c.id == user_id), lock)

    async def find_by_email(self, email: str, *, lock: bool = False) -> User | None:
        """The account of a lower-case address."""
        return await self._one(sa.select(users).where(users.c.email == email), lock)

    async def save(self, user: User) -> None:
        """Write the account as it is now."""
        values = self._values(user)
        await self._connection.execute(users.update().where(users.c.id == values.pop("id")).values(values))

    async def lock_administrators(self) -> None:
        """Let nobody else take the role away from somebody until the end of the transaction."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("administrators", 0))))

    async def other_administrators(self, user_id: UUID) -> int:
        """How many active administrators there are besides this account."""
        others = users.c.roles.contains(["admin"]) & (users.c.status == "active") & (users.c.id != user_id)
        return (await self._connection.execute(sa.select(sa.func.count()).select_from(users).where(others))).scalar_one()

    async def page(
        self, *, after: UUID | None, count: int, email: str | None = None, role: str | None = None, status: str | None = None
    ) -> Sequence[User]:
        """Accounts, newest first."""
        statement = sa.select(users).order_by(users.c.id.desc()).limit(count)
        if after is not None:
            statement = statement.where(users.c.id < after)
        if email is not None:
            statement = statement.where(users.c.email == email)
        if role is not None:
            statement = statement.where(users.c.roles.contains([role]))
        if status is not None:
            statement = statement.where(users.c.status == status)
        return [self._user(row) for row in await self._connection.execute(statement)]

    async def _one(self, statement: sa.Select[Any], lock: bool) -> User | None:
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return self._user(row) if row else None

    def _values(self, user: User) -> dict[str, Any]:
        phone = self._vault.encrypt_text(user.phone, aad=phone_place(user.id)) if user.phone is not None else None
        return asdict(user) | {"full_name": self._vault.encrypt_text(user.full_name, aad=name_place(user.id)), "phone": phone}

    def _user(self, row: sa.Row[Any]) -> User:
        return User(**open_account(dict(row._mapping) | {"roles": tuple(row.roles)}, self._vault))


def open_account(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `users` with its sealed columns opened."""
    name = open_or_clear(vault, bytes(row["full_name"]), place=name_place(row["id"]))
    phone = row["phone"]
    opened = open_or_clear(vault, bytes(phone), place=phone_place(row["id"])) if phone is not None else None
    return row | {"full_name": name, "phone": opened}


def name_place(user_id: UUID) -> str:
    """Where a sealed name belongs."""
    return f"auth.users.full_name:{user_id}"


def phone_place(user_id: UUID) -> str:
    """Where a sealed phone number belongs."""
    return f"auth.users.phone:{user_id}"
