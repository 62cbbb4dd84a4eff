"""What this service keeps of people: who they are by the hash of their address, and whether their account is active."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.store.tables import people


class PeopleStore:
    """The projection of auth's users, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, user_id: UUID, email_hash: bytes, *, active: bool) -> None:
        """These are the values now."""
        statement = insert(people).values(user_id=user_id, email_hash=email_hash, active=active)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[people.c.user_id],
                set_={"email_hash": statement.excluded.email_hash, "active": statement.excluded.active},
            )
        )

    async def is_active(self, user_id: UUID) -> bool:
        """Whether the account may be used, as far as we were told."""
        found = await self._connection.execute(sa.select(people.c.active).where(people.c.user_id == user_id))
        return found.scalar_one_or_none() is not False

    async def is_known(self, email_hash: bytes) -> bool:
        """Whether somebody active has this address."""
        found = sa.select(people.c.user_id).where(people.c.email_hash == email_hash, people.c.active).limit(1)
        return (await self._connection.execute(found)).first() is not None
