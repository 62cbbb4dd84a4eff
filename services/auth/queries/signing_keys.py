"""Reads of signing keys."""

from collections.abc import Sequence

from services.auth.domain.signing_keys import SigningKey
from services.auth.store.signing_keys import SigningKeys
from shared.crypto import Vault
from shared.db import Database


async def all_keys(database: Database, vault: Vault) -> Sequence[SigningKey]:
    """Every key there ever was, newest first."""
    async with database.read() as connection:
        return await SigningKeys(connection, vault).all()
