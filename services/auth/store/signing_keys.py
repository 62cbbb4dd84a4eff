"""Keys that sign access tokens. The private half is sealed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.signing_keys import SigningKey
from services.auth.store.tables import signing_keys
from shared.crypto import Vault


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
        await self._connection.execute(signing_keys.insert().values(self._values(key)))

    async def save(self, key: SigningKey) -> None:
        """Write the key as it is now."""
        values = self._values(key)
        await self._connection.execute(signing_keys.update().where(signing_keys.c.id == values.pop("id")).values(values))

    async def all(self) -> Sequence[SigningKey]:
        """Every key there ever was, newest first."""
        statement = sa.select(signing_keys).order_by(signing_keys.c.activates_at.desc())
        return [
            SigningKey(
                id=row.id,
                public_jwk=row.public_jwk,
                private_key_pem=self._vault.decrypt_text(bytes(row.private_key), aad=_place(row.id)) if row.private_key else "",
                created_at=row.created_at,
                activates_at=row.activates_at,
                retired_at=row.retired_at,
                revoked_at=row.revoked_at,
                revoke_reason=row.revoke_reason,
            )
            for row in await self._connection.execute(statement)
        ]

    async def revoked_since(self, instant: datetime) -> Sequence[str]:
        """The ids of keys that were revoked after `instant`."""
        statement = sa.select(signing_keys.c.id).where(signing_keys.c.revoked_at > instant)
        return list((await self._connection.execute(statement)).scalars())

    def _values(self, key: SigningKey) -> dict[str, object]:
        values = asdict(key)
        pem = values.pop("private_key_pem")
        return {**values, "private_key": self._vault.encrypt_text(pem, aad=_place(key.id)) if pem else None}


def _place(key_id: str) -> str:
    return f"auth.signing_keys.private_key:{key_id}"
