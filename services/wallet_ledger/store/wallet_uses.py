"""What other services have under way with wallets: our copy of what they told us, so that none is closed under them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.store.tables import wallet_uses


class WalletUses:
    """Uses of wallets, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(
        self,
        reference: str,
        user_id: UUID,
        currency: str,
        since: datetime,
        *,
        wallet_id: UUID | None = None,
        loan_id: UUID | None = None,
    ) -> None:
        """Something counts on a wallet, or on whichever of the person's wallets in `currency`.

        What is known already stays as it is, but learns which wallet it is.
        """
        values = {
            "reference": reference,
            "user_id": user_id,
            "currency": currency,
            "wallet_id": wallet_id,
            "loan_id": loan_id,
            "since": since,
        }
        row = insert(wallet_uses).values(values)
        known = {"wallet_id": sa.func.coalesce(row.excluded.wallet_id, wallet_uses.c.wallet_id)}
        await self._connection.execute(row.on_conflict_do_update(index_elements=[wallet_uses.c.reference], set_=known))

    async def end(self, reference: str) -> None:
        """It is over."""
        await self._connection.execute(sa.delete(wallet_uses).where(wallet_uses.c.reference == reference))

    async def end_loan(self, loan_id: UUID) -> None:
        """A loan is over, and with it every part that lenders have of it."""
        await self._connection.execute(sa.delete(wallet_uses).where(wallet_uses.c.loan_id == loan_id))

    async def of(self, user_id: UUID, wallet_id: UUID, currency: str) -> Sequence[str]:
        """What counts on this wallet, by reference, the oldest first."""
        query = (
            sa.select(wallet_uses.c.reference)
            .where(
                wallet_uses.c.user_id == user_id,
                sa.func.coalesce(wallet_uses.c.wallet_id, wallet_id) == wallet_id,
                wallet_uses.c.currency == currency,
            )
            .order_by(wallet_uses.c.since, wallet_uses.c.reference)
        )
        return (await self._connection.execute(query)).scalars().all()

    async def named(self, reference: str) -> Sequence[str]:
        """The use of this reference, if it is under way."""
        query = sa.select(wallet_uses.c.reference).where(wallet_uses.c.reference == reference)
        return (await self._connection.execute(query)).scalars().all()
