"""Reads of identities."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.sign_on import Identity
from services.auth.store.identities import Identities


async def list_identities(context: Context, user_id: UUID) -> Sequence[Identity]:
    """The identities of an account, oldest first."""
    async with context.read() as connection:
        return await Identities(connection, context.vault).of(user_id)
