"""The projection of where people can be reached."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.contact import Contact
from services.notifications.store.tables import contacts


class Contacts:
    """Contacts, on the connection of a unit of work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, user_id: UUID) -> Contact | None:
        """What is known of a person."""
        columns = (contacts.c.user_id, contacts.c.email, contacts.c.full_name, contacts.c.language)
        row = (await self._connection.execute(sa.select(*columns).where(contacts.c.user_id == user_id))).one_or_none()
        return Contact(*row) if row is not None else None

    async def remember(self, contact: Contact, as_of: datetime) -> None:
        """Keep `contact`, unless something newer than `as_of` is known already."""
        values = {"email": contact.email, "full_name": contact.full_name, "language": contact.language, "as_of": as_of}
        statement = insert(contacts).values(user_id=contact.user_id, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[contacts.c.user_id], set_=values, where=contacts.c.as_of <= statement.excluded.as_of
            )
        )
