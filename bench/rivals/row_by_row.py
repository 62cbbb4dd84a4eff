"""As a child: a ledger as most services would have it, with SQLAlchemy's ORM: one session and one commit a transfer.

It looks for the key, locks both accounts in the order of their ids, checks, changes balance and version of each, and adds
the transaction, two entries with the balance after, and an event to the outbox.
"""

import asyncio
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uvloop
from sqlalchemy import ForeignKey, Index, UniqueConstraint, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import children
from bench.closed_loop import Measured, Step, Timing, closed_loop
from bench.seed import CURRENCY, WALLETS
from shared.ids import new_id

_SCHEMA = "row_by_row"


class _Base(DeclarativeBase):
    __abstract__ = True


class Account(_Base):
    """An account and what is on it."""

    __tablename__ = "accounts"
    __table_args__ = ({"schema": _SCHEMA},)

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str]
    balance_minor: Mapped[int]
    version: Mapped[int]


class LedgerTransaction(_Base):
    """What was asked for, once a key."""

    __tablename__ = "transactions"
    __table_args__ = (UniqueConstraint("scope", "idempotency_key"), {"schema": _SCHEMA})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str]
    idempotency_key: Mapped[str]
    booked_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None))


class LedgerEntry(_Base):
    """One side of a transfer."""

    __tablename__ = "entries"
    __table_args__ = (Index("entries_account_idx", "account_id", "version", unique=True), {"schema": _SCHEMA})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    transaction_id: Mapped[UUID] = mapped_column(ForeignKey(f"{_SCHEMA}.transactions.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(f"{_SCHEMA}.accounts.id"))
    amount_minor: Mapped[int]
    balance_after_minor: Mapped[int]
    version: Mapped[int]


class OutboxMessage(_Base):
    """An event that waits to be sent."""

    __tablename__ = "outbox"
    __table_args__ = ({"schema": _SCHEMA},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


async def transfer(session: AsyncSession, key: str, payer_id: int, payee_id: int, amount_minor: int) -> None:
    """Move money and commit."""
    known = select(LedgerTransaction).where(LedgerTransaction.scope == "bench", LedgerTransaction.idempotency_key == key)
    if (await session.scalars(known)).one_or_none() is not None:
        return
    both = select(Account).where(Account.id.in_((payer_id, payee_id))).order_by(Account.id).with_for_update()
    accounts = {account.id: account for account in await session.scalars(both)}
    payer, payee = accounts[payer_id], accounts[payee_id]
    if payer.balance_minor < amount_minor or payer.currency != payee.currency:
        raise ValueError("not enough, or not the same currency")
    transaction = LedgerTransaction(id=new_id(), scope="bench", idempotency_key=key)
    session.add(transaction)
    await session.flush()
    for account, change in ((payer, -amount_minor), (payee, amount_minor)):
        account.balance_minor += change
        account.version += 1
        session.add(
            LedgerEntry(
                id=new_id(),
                transaction_id=transaction.id,
                account_id=account.id,
                amount_minor=change,
                balance_after_minor=account.balance_minor,
                version=account.version,
            )
        )
    session.add(OutboxMessage(id=new_id(), payload={"type": "transaction.posted", "transaction_id": str(transaction.id)}))
    await session.commit()


async def prepare(url: str) -> None:
    """Make tables and accounts."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA {_SCHEMA}"))
        await connection.run_sync(_Base.metadata.create_all)
        rows = [{"id": n, "currency": CURRENCY, "balance_minor": 10**9, "version": 0} for n in range(1, WALLETS + 1)]
        await connection.execute(insert(Account), rows)
    await engine.dispose()


async def measure(url: str, callers: int, timing: Timing) -> Measured:
    """So many callers, each with a connection."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), pool_size=callers)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    def step() -> Step:
        async def once() -> int:
            payer, payee = random.sample(range(1, WALLETS + 1), 2)
            async with sessions() as session:
                await transfer(session, str(new_id()), payer, payee, 1)
            return 1

        return once

    try:
        return await closed_loop([step() for _ in range(callers)], timing)
    finally:
        await engine.dispose()


def main() -> None:
    """As a child: measure."""
    orders = children.orders()
    if orders.get("prepare"):
        asyncio.run(prepare(orders["url"]))
        children.answer(None)
        return
    timing = Timing(orders["seconds"], orders["warm_up_seconds"])
    children.answer(uvloop.run(measure(orders["url"], orders["callers"], timing)).as_json())


if __name__ == "__main__":
    main()
