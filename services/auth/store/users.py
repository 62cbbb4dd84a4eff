"""Accounts in the database."""

import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.user import User
from services.auth.store.tables import users
from shared.crypto import BlindIndex, Vault
from shared.crypto.rotation import open_or_clear

EMAIL_INDEX = BlindIndex("email_index", "auth.users.email")


class Users:
    """Reads and writes accounts on one connection. Addresses, names and phone numbers leave the process only sealed.

    An account is found by the keyed index of its address. While the platform's encryption key is being changed that can be
    made with any of several keys.
    """

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add_if_email_is_free(self, user: User) -> bool:
        """Insert the account; False when its e-mail address has one, then nothing is written."""
        if len(self._vault.key_ids) > 1 and await self.email_is_taken(user.email):
            return False
        free = insert(users).values(self._values(user)).on_conflict_do_nothing(index_elements=["email_index"])
        return (await self._connection.execute(free.returning(users.c.id))).first() is not None

    async def email_is_taken(self, email: str) -> bool:
        """Whether an account has this address.

        Where indexes of several keys may be about, the database does not see that two of them are one address: then whoever
        else asks about it waits until the transaction ends.
        """
        if len(self._vault.key_ids) > 1:
            await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(self._lock_of(email))))
        found = await self._connection.execute(sa.select(users.c.id).where(self._has(email)).limit(1))
        return found.first() is not None

    async def find(self, user_id: UUID, *, lock: bool = False) -> User | None:
        """The account, locked until the end of the transaction if asked."""
        return await self._one(sa.select(users).where(users.c.id == user_id), lock)

    async def find_by_email(self, email: str, *, lock: bool = False) -> User | None:
        """The account of an address."""
        return await self._one(sa.select(users).where(self._has(email)), lock)

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
            statement = statement.where(self._has(email))
        if role is not None:
            statement = statement.where(users.c.roles.contains([role]))
        if status is not None:
            statement = statement.where(users.c.status == status)
        return [self._user(row) for row in await self._connection.execute(statement)]

    async def _one(self, statement: sa.Select[Any], lock: bool) -> User | None:
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return self._user(row) if row else None

    def _has(self, email: str) -> sa.ColumnElement[bool]:
        return users.c.email_index.in_(EMAIL_INDEX.all_of(self._vault, _folded(email)))

    def _lock_of(self, email: str) -> int:
        """The same in every process that has the same keys, whichever of them seals."""
        number: int = struct.unpack("q", min(EMAIL_INDEX.all_of(self._vault, _folded(email)))[:8])[0]
        return number

    def _values(self, user: User) -> dict[str, Any]:
        seal = self._vault.encrypt_text
        return asdict(user) | {
            "email": seal(user.email, aad=email_place(user.id)),
            "email_index": EMAIL_INDEX.of(self._vault, _folded(user.email)),
            "full_name": seal(user.full_name, aad=name_place(user.id)),
            "phone": seal(user.phone, aad=phone_place(user.id)) if user.phone is not None else None,
        }

    def _user(self, row: sa.Row[Any]) -> User:
        values = dict(row._mapping) | {"roles": tuple(row.roles)}
        del values["email_index"]
        return User(**open_account(values, self._vault))


def open_account(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `users` with its sealed columns opened."""
    phone = row["phone"]
    return row | {
        "email": open_or_clear(vault, bytes(row["email"]), place=email_place(row["id"])),
        "full_name": open_or_clear(vault, bytes(row["full_name"]), place=name_place(row["id"])),
        "phone": open_or_clear(vault, bytes(phone), place=phone_place(row["id"])) if phone is not None else None,
    }


def _folded(email: str) -> bytes:
    """However an address is written, it has one account."""
    return email.strip().lower().encode()


def email_place(user_id: UUID) -> str:
    """Where a sealed address belongs."""
    return f"auth.users.email:{user_id}"


def name_place(user_id: UUID) -> str:
    """Where a sealed name belongs."""
    return f"auth.users.full_name:{user_id}"


def phone_place(user_id: UUID) -> str:
    """Where a sealed phone number belongs."""
    return f"auth.users.phone:{user_id}"
