"""Reads of API clients."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.api_client import ApiClient
from services.auth.domain.problems import ApiClientNotFound
from services.auth.store.api_clients import ApiClients
from shared.http.paging import PageRequest


async def list_api_clients(context: Context, page: PageRequest, owner_id: UUID) -> Sequence[ApiClient]:
    """The clients of a person, newest first; one more than the page holds."""
    async with context.read() as connection:
        store = ApiClients(connection, context.vault)
        return await store.page_of(owner_id, after=page.after, count=page.fetch)


async def find_api_client(context: Context, owner_id: UUID, client_id: UUID) -> ApiClient:
    """A client of this person. Raises `ApiClientNotFound`."""
    async with context.read() as connection:
        client = await ApiClients(connection, context.vault).find(client_id)
    if client is None or client.owner_id != owner_id:
        raise ApiClientNotFound("Look at the list of your API clients.")
    return client
