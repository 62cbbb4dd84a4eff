"""API clients in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.api_client import ApiClient
from services.auth.store.access_tables import api_clients
from shared.crypto import Vault
from shared.crypto.rotation import open_or_clear


class ApiClients:
    """Reads and writes API clients on one connection. Addresses leave the process only sealed."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, client: ApiClient) -> None:
        """Insert a client."""
        await self._connection.execute(api_clients.insert().values(self._values(client)))

    async def find(self, client_id: UUID, *, lock: bool = False) -> ApiClient | None:
        """The client, locked until the end of the transaction if asked."""
        statement = sa.select(api_clients).where(api_clients.c.id == client_id)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        return self._client(row) if row else None

    async def page_of(self, owner_id: UUID, *, after: UUID | None, count: int) -> Sequence[ApiClient]:
        """The clients of a person, newest first."""
        statement = (
            sa.select(api_clients).where(api_clients.c.owner_id == owner_id).order_by(api_clients.c.id.desc()).limit(count)
        )
        if after is not None:
            statement = statement.where(api_clients.c.id < after)
        return [self._client(row) for row in await self._connection.execute(statement)]

    async def count_of(self, owner_id: UUID) -> int:
        """How many clients a person has."""
        statement = sa.select(sa.func.count()).select_from(api_clients).where(api_clients.c.owner_id == owner_id)
        return (await self._connection.execute(statement)).scalar_one()

    async def of(self, owner_id: UUID) -> Sequence[ApiClient]:
        """All clients of a person, locked until the end of the transaction."""
        statement = sa.select(api_clients).where(api_clients.c.owner_id == owner_id).order_by(api_clients.c.id)
        return [self._client(row) for row in await self._connection.execute(statement.with_for_update())]

    async def save(self, client: ApiClient) -> None:
        """Write the client as it is now."""
        values = self._values(client)
        await self._connection.execute(api_clients.update().where(api_clients.c.id == values.pop("id")).values(values))

    async def touch(self, client_id: UUID, *, address: str, now: datetime) -> None:
        """Note when and from where the client got a token last."""
        await self._connection.execute(
            api_clients.update()
            .where(api_clients.c.id == client_id)
            .values(last_used_at=now, last_used_address=self._sealed(client_id, address))
        )

    async def delete(self, client_id: UUID) -> None:
        """Remove a client."""
        await self._connection.execute(api_clients.delete().where(api_clients.c.id == client_id))

    def _values(self, client: ApiClient) -> dict[str, Any]:
        address = client.last_used_address
        sealed = self._sealed(client.id, address) if address is not None else None
        return asdict(client) | {"last_used_address": sealed}

    def _sealed(self, client_id: UUID, address: str) -> bytes:
        return self._vault.encrypt_text(address, aad=address_place(client_id))

    def _client(self, row: sa.Row[Any]) -> ApiClient:
        values = open_api_client(dict(row._mapping), self._vault)
        return ApiClient(**{**values, "scopes": tuple(values["scopes"])})


def open_api_client(row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    """A row of `api_clients` with its sealed column opened."""
    address = row["last_used_address"]
    opened = open_or_clear(vault, bytes(address), place=address_place(row["id"])) if address is not None else None
    return row | {"last_used_address": opened}


def address_place(client_id: UUID) -> str:
    """Where a sealed address belongs."""
    return f"auth.api_clients.last_used_address:{client_id}"
