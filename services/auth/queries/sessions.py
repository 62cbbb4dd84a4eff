"""Reads of sessions."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.session import Session
from services.auth.store.sessions import Sessions
from shared.http.paging import PageRequest


async def list_sessions(context: Context, page: PageRequest, user_id: UUID) -> Sequence[Session]:
    """The living sessions of a person, newest first; one more than the page holds."""
    async with context.read() as connection:
        store = Sessions(connection, context.vault)
        return await store.page_of(user_id, now=context.clock.now(), after=page.after, count=page.fetch)
