"""What this service keeps of people: the hash of their address, sealed and indexed, and whether their account is active."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.wallet import email_hash
from services.wallet_ledger.store.tables import people
from shared.crypto import BlindIndex, Vault

EMAIL_INDEX = BlindIndex("email_index", "wallet_ledger.people.email")


def indexes_of(vault: Vault, email: str) -> Sequence[bytes]:
    """By what the owner of an address is found: one for each encryption key."""
    return EMAIL_INDEX.all_of(vault, email_hash(email))


class PeopleStore:
    """The projection of auth's users, on one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def put(self, user_id: UUID, email: str, *, active: bool) -> None:
        """These are the values now."""
        hashed = email_hash(email)
        values = {
            "email_hash": self._vault.encrypt(hashed, aad=hash_place(user_id)),
            "email_index": EMAIL_INDEX.of(self._vault, hashed),
            "active": active,
        }
        statement = insert(people).values(user_id=user_id, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=[people.c.user_id], set_=values))

    async def is_active(self, user_id: UUID) -> bool:
        """Whether the account may be used, as far as we were told."""
        found = await self._connection.execute(sa.select(people.c.active).where(people.c.user_id == user_id))
        return found.scalar_one_or_none() is not False


def hash_place(user_id: UUID | str) -> str:
    """Where a sealed hash belongs."""
    return f"wallet_ledger.people.email_hash:{user_id}"
