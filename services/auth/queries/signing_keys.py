"""Reads of signing keys."""

from collections.abc import Sequence

from services.auth.store.signing_keys import SigningKey, SigningKeys
from shared.crypto import Vault
from shared.db import Database


async def published_keys(database: Database, vault: Vault) -> Sequence[SigningKey]:
    """Every key whose tokens are accepted, newest first."""
    async with database.read() as connection:
        return await SigningKeys(connection, vault).published()
