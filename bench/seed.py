"""Ten thousand people with a wallet and more money in it than a benchmark can spend."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from services.wallet_ledger.domain.entries import MAX_TRANSFERS, Transfer
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.poster import Poster
from shared.clock import SystemClock
from shared.ids import new_id
from shared.service import open_database

WALLETS = 10_000
CURRENCY = "KES"
_BALANCE_MINOR = 10**12


@dataclass(frozen=True)
class Owner:
    """A person and their wallet."""

    user_id: UUID
    wallet_id: UUID


async def open_wallets(url: str, count: int = WALLETS) -> list[Owner]:
    """Make the wallets, as the owner of the tables: through HTTP it would take longer than the measurement."""
    owners = [Owner(new_id(), new_id()) for _ in range(count)]
    now = datetime.now(UTC)
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.executemany(
            "INSERT INTO wallet_ledger.accounts (address, currency, floor_minor) VALUES ($1, $2, 0)",
            [(f"wallet:{owner.wallet_id}", CURRENCY) for owner in owners],
        )
        ids = dict(await connection.fetch("SELECT address, id FROM wallet_ledger.accounts"))
        await connection.copy_records_to_table(
            "wallets",
            schema_name="wallet_ledger",
            columns=("id", "user_id", "account_id", "currency", "name", "is_home", "opened_at"),
            records=[
                (owner.wallet_id, owner.user_id, ids[f"wallet:{owner.wallet_id}"], CURRENCY, "Home", True, now)
                for owner in owners
            ],
        )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    await _fund(owners)
    return owners


async def _fund(owners: list[Owner]) -> None:
    """Post the money, as every transfer is posted."""
    database = open_database(Settings(), "wallet_ledger")
    poster = Poster(database, SystemClock())
    await poster.start()
    try:
        for first in range(0, len(owners), MAX_TRANSFERS // 5):
            some = owners[first : first + MAX_TRANSFERS // 5]
            entries = tuple(
                Transfer(new_id(), f"provider:bench:{CURRENCY}", f"wallet:{owner.wallet_id}", _BALANCE_MINOR, CURRENCY)
                for owner in some
            )
            transaction = Transaction(new_id(), "bench", str(new_id()), bytes(32), "deposit", entries)
            outcome = await poster.post(transaction)
            assert outcome.posted, outcome
    finally:
        await poster.stop()
        await database.dispose()
