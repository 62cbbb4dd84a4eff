"""The projection of where people can be reached."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.contact import Contact
from services.notifications.store.tables import contacts
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear


class Contacts:
    """Contacts, on the connection of a unit of work. Addresses and names leave the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def find(self, user_id: UUID) -> Contact | None:
        """What is known of a person."""
        columns = (contacts.c.user_id, contacts.c.email, contacts.c.full_name, contacts.c.language)
        row = (await self._connection.execute(sa.select(*columns).where(contacts.c.user_id == user_id))).one_or_none()
        return Contact(**open_contact(dict(row._mapping), self._vault)) if row is not None else None

    async def remember(self, contact: Contact, as_of: datetime) -> None:
        """Keep `contact`, unless something newer than `as_of` is known already."""
        seal = self._vault.encrypt_text
        values = {
            "email": seal(contact.email, aad=email_place(contact.user_id)),
            "full_name": seal(contact.full_name, aad=name_place(contact.user_id)),
            "language": contact.language,
            "as_of": as_of,
        }
        statement = insert(contacts).values(user_id=contact.user_id, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[contacts.c.user_id], set_=values, where=contacts.c.as_of <= statement.excluded.as_of
            )
        )


def open_contact(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `contacts` with its sealed columns opened."""
    return row | {
        "email": open_or_clear(vault, bytes(row["email"]), place=email_place(row["user_id"])),
        "full_name": open_or_clear(vault, bytes(row["full_name"]), place=name_place(row["user_id"])),
    }


def email_place(user_id: UUID) -> str:
    """Where a sealed address belongs."""
    return f"notifications.contacts.email:{user_id}"


def name_place(user_id: UUID) -> str:
    """Where a sealed name belongs."""
    return f"notifications.contacts.full_name:{user_id}"
