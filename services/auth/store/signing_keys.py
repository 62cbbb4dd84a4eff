"""Keys that sign access tokens. The private half is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.store.tables import signing_keys
from shared.crypto import Vault


@dataclass(frozen=True)
class SigningKey:
    """An ES256 key pair. Retired, it signs no more; revoked, it is not published any more either."""

    id: str
    public_jwk: dict[str, Any]
    private_key_pem: str
    created_at: datetime
    retired_at: datetime | None = None


class SigningKeys:
    """Reads and writes signing keys on one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def lock(self) -> None:
        """Let nobody else change the set until the end of the transaction."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("signing keys", 0))))

    async def add(self, key: SigningKey) -> None:
        """Insert a key."""
        await self._connection.execute(
            signing_keys.insert().values(
                id=key.id,
                public_jwk=key.public_jwk,
                private_key=self._vault.encrypt_text(key.private_key_pem, aad=_place(key.id)),
                created_at=key.created_at,
            )
        )

    async def published(self) -> Sequence[SigningKey]:
        """Every key whose tokens are accepted, newest first."""
        statement = sa.select(signing_keys).where(signing_keys.c.revoked_at.is_(None)).order_by(signing_keys.c.created_at.desc())
        return [
            SigningKey(
                id=row.id,
                public_jwk=row.public_jwk,
                private_key_pem=self._vault.decrypt_text(bytes(row.private_key), aad=_place(row.id)),
                created_at=row.created_at,
                retired_at=row.retired_at,
            )
            for row in await self._connection.execute(statement)
        ]


def _place(key_id: str) -> str:
    return f"auth.signing_keys.private_key:{key_id}"
