"""What lending knows of people and their wallets, from the events of those who own them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.store.tables import people, wallets

KycStatus = Literal["unsubmitted", "pending", "approved", "rejected"]


@dataclass(frozen=True)
class Person:
    """One person, as far as lending needs to know."""

    user_id: UUID
    registered_at: datetime
    kyc_status: KycStatus


@dataclass(frozen=True)
class Wallet:
    """Whose wallet it is, and its currency."""

    wallet_id: UUID
    user_id: UUID
    currency: str


class PeopleStore:
    """People and wallets."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user_id: UUID, registered_at: datetime) -> None:
        """Note that somebody registered; known already is fine."""
        statement = insert(people).values(user_id=user_id, registered_at=registered_at)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["user_id"], set_={"registered_at": registered_at})
        )

    async def set_kyc(self, user_id: UUID, kyc_id: UUID, status: KycStatus, decided_at: datetime) -> None:
        """Note how the identity check of somebody stands, known or not yet known."""
        changed = {"kyc_id": kyc_id, "kyc_status": status, "kyc_decided_at": decided_at}
        statement = insert(people).values(user_id=user_id, registered_at=decided_at, **changed)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=changed))

    async def get(self, user_id: UUID) -> Person | None:
        """One person."""
        query = sa.select(people.c.user_id, people.c.registered_at, people.c.kyc_status).where(people.c.user_id == user_id)
        row = (await self._connection.execute(query)).one_or_none()
        return Person(*row) if row else None

    async def add_wallet(self, wallet: Wallet) -> None:
        """Note a wallet; known already is fine."""
        statement = insert(wallets).values(wallet_id=wallet.wallet_id, user_id=wallet.user_id, currency=wallet.currency)
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def wallet(self, wallet_id: UUID) -> Wallet | None:
        """One wallet, whoever's it is."""
        query = sa.select(wallets.c.wallet_id, wallets.c.user_id, wallets.c.currency).where(wallets.c.wallet_id == wallet_id)
        row = (await self._connection.execute(query)).one_or_none()
        return Wallet(*row) if row else None
