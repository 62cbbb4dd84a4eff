"""Whose wallet is which: our copy of what wallet-ledger told us."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.store.tables import wallets


@dataclass(frozen=True)
class Wallet:
    """What payments knows of a wallet."""

    id: UUID
    user_id: UUID
    currency: str
    closed: bool = False


class WalletStore:
    """Wallets on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remember(self, wallet: Wallet) -> None:
        """Note a wallet; one that is known already stays as it is."""
        values = {"id": wallet.id, "user_id": wallet.user_id, "currency": wallet.currency}
        await self._connection.execute(insert(wallets).values(values).on_conflict_do_nothing())

    async def close(self, wallet_id: UUID) -> None:
        """Nothing moves in it any more."""
        await self._connection.execute(wallets.update().where(wallets.c.id == wallet_id).values(closed=True))

    async def find_for(self, user_id: UUID, wallet_id: UUID) -> Wallet | None:
        """The wallet, if it is the user's."""
        query = sa.select(wallets).where(wallets.c.id == wallet_id, wallets.c.user_id == user_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Wallet(**row) if row is not None else None
