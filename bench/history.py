"""A history for the ledger, loaded by COPY: years of transfers between wallets, exactly as the poster would have written them.

Running balances, versions, sequences and keys are right, so that `lendery verify` passes on it; the service's jobs then seal it,
keep its trial balances and close its days. Loading goes round the database's guards, which only its owner can.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bench.seed import CURRENCY, Owner
from services.wallet_ledger.commands.close_days import close_days
from services.wallet_ledger.commands.keep_trial_balances import keep_trial_balances
from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.main import build
from services.wallet_ledger.settings import Settings
from shared.ids import new_id
from shared.service import Platform

DAYS = 100
_FUNDS_MINOR = 10**12
_AT_ONCE = 100
"""Transactions that are booked at the same instant: those of one batch."""
_LINES_A_CHUNK = 5_000
_ONE_IN_DATED = 100
_TRANSACTIONS = (
    "sequence", "id", "scope", "idempotency_key", "fingerprint", "kind", "status", "booked_at", "effective_on", "transfer_count",
)  # fmt: skip
_TRANSFERS = (
    "transaction_sequence", "position", "id", "debit_account_id", "credit_account_id", "currency", "amount_minor",
    "pending_minor", "debit_version", "credit_version", "debit_balance_after_minor", "credit_balance_after_minor",
    "debit_pending_after_minor", "credit_pending_after_minor", "effective_on",
)  # fmt: skip
_FINGERPRINT = "\\\\x" + bytes(32).hex()

Say = Callable[[str], None]


@dataclass
class _Books:
    """Accounts by their number: 0 is the provider that brought the money, the others are wallets."""

    balances: list[int]
    versions: list[int]
    debits: list[int]
    credits: list[int]

    @classmethod
    def of(cls, wallets: int) -> "_Books":
        return cls(*([0] * (wallets + 1) for _ in range(4)))

    def move(self, debit: int, credit: int, amount_minor: int) -> tuple[int, int, int, int]:
        """Versions and balances of both after it."""
        self.versions[debit] += 1
        self.versions[credit] += 1
        self.balances[debit] -= amount_minor
        self.balances[credit] += amount_minor
        self.debits[debit] += amount_minor
        self.credits[credit] += amount_minor
        return self.versions[debit], self.versions[credit], self.balances[debit], self.balances[credit]


class History:
    """`transfers` transfers between `wallets` wallets, one a transaction, after one transaction that funds them all.

    The lines of both tables are made together, a stretch at a time, so that neither is ever whole in memory.
    """

    def __init__(self, transfers: int, wallets: int, *, until: datetime, seed: int = 1) -> None:
        self.books = _Books.of(wallets)
        self._transfers, self._wallets = transfers, wallets
        self._begin = until - timedelta(days=DAYS)
        self._step = timedelta(days=DAYS) / max(transfers, 1)
        self._chance = random.Random(seed)

    def chunks(self) -> Iterator[tuple[bytes, bytes]]:
        """Lines for `transactions` and for `transfers`, in COPY's text format."""
        yield self._funding()
        for first in range(2, self._transfers + 2, _LINES_A_CHUNK):
            yield self._stretch(first, min(first + _LINES_A_CHUNK, self._transfers + 2))

    def _funding(self) -> tuple[bytes, bytes]:
        booked_at, day = self._begin.isoformat(), self._begin.date()
        head = f"1\t{_id(7, 1)}\tbench\t{_key(1)}\t{_FINGERPRINT}\tdeposit\tposted\t{booked_at}\t{day}\t{self._wallets}\n"
        rows = []
        for wallet in range(1, self._wallets + 1):
            after = self.books.move(0, wallet, _FUNDS_MINOR)
            rows.append(_transfer(1, wallet - 1, _id(8, wallet), 1, wallet + 1, _FUNDS_MINOR, after, "\\N"))
        return head.encode(), "".join(rows).encode()

    def _stretch(self, first: int, end: int) -> tuple[bytes, bytes]:
        heads, rows, move, pick, wallets = [], [], self.books.move, self._chance.random, self._wallets
        booked_at, day = "", self._begin.date()
        for sequence in range(first, end):
            if not booked_at or sequence % _AT_ONCE == 0:
                instant = self._begin + self._step * (sequence - sequence % _AT_ONCE)
                booked_at, day = instant.isoformat(), instant.date()
            debit = int(pick() * wallets)
            credit = (debit + 1 + int(pick() * (wallets - 1))) % wallets
            amount_minor = 1 + int(pick() * 100_000)
            dated = sequence % _ONE_IN_DATED == 0
            effective_on = str(day - timedelta(days=1 + sequence // _ONE_IN_DATED % 20)) if dated else "\\N"
            heads.append(
                f"{sequence}\t{_id(7, sequence)}\tservice-{sequence % 64}\t{_key(sequence)}\t{_FINGERPRINT}\ttransfer\tposted"
                f"\t{booked_at}\t{effective_on if dated else day}\t1\n"
            )
            after = move(debit + 1, credit + 1, amount_minor)
            rows.append(_transfer(sequence, 0, _id(9, sequence), debit + 2, credit + 2, amount_minor, after, effective_on))
        return "".join(heads).encode(), "".join(rows).encode()


def _id(kind: int, number: int) -> str:
    return f"{number:012x}7{kind:03x}8{number:015x}"


def _key(number: int) -> str:
    return f"{number:08x}-0000-7000-8000-{number:012x}"


def _transfer(
    sequence: int, position: int, row_id: str, debit: int, credit: int, amount: int, after: tuple[int, int, int, int], day: str
) -> str:
    versions = f"{after[0]}\t{after[1]}\t{after[2]}\t{after[3]}"
    return f"{sequence}\t{position}\t{row_id}\t{debit}\t{credit}\t{CURRENCY}\t{amount}\t0\t{versions}\t0\t0\t{day}\n"


async def load(url: str, transfers: int, wallets: int, *, say: Say, until: datetime | None = None) -> list[Owner]:
    """Fill an empty, migrated database; the owners of its wallets. Account 1 is the provider, account n + 1 wallet n."""
    owners = [Owner(new_id(), new_id()) for _ in range(wallets)]
    history = History(transfers, wallets, until=until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SET search_path = wallet_ledger; SET session_replication_role = replica")
        await connection.execute("SET maintenance_work_mem = '256MB'; SET statement_timeout = 0")
        made_again = await _drop_indexes(connection)
        say(f"Copying {transfers:,} transfers")
        await _copy(url, history)
        say("Making the indexes")
        for statement in made_again:
            await connection.execute(statement)
        await _add_accounts(connection, owners, history.books)
        say("Gathering statistics")
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    await _run_jobs(url, say)
    return owners


async def _copy(url: str, history: History) -> None:
    """Both tables at once, each on a connection of its own."""
    queues = [asyncio.Queue[bytes | None](4) for _ in range(2)]

    async def one(table: str, columns: Sequence[str], queue: "asyncio.Queue[bytes | None]") -> None:
        async def lines() -> Any:
            while (chunk := await queue.get()) is not None:
                yield chunk

        connection = await asyncpg.connect(url, timeout=10)
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.copy_to_table(
                table, source=lines(), schema_name="wallet_ledger", columns=columns, format="text", timeout=3_600
            )
        finally:
            await connection.close()

    async with asyncio.TaskGroup() as group:
        group.create_task(one("transactions", _TRANSACTIONS, queues[0]))
        group.create_task(one("transfers", _TRANSFERS, queues[1]))
        for chunk in history.chunks():
            for queue, lines in zip(queues, chunk, strict=True):
                await queue.put(lines)
        for queue in queues:
            await queue.put(None)


async def _drop_indexes(connection: asyncpg.Connection) -> list[str]:
    """Drop every index of the two tables; the statements that make them again."""
    made_again = []
    for table in ("transactions", "transfers"):
        for row in await connection.fetch(
            "SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
            " WHERE conrelid = $1::regclass AND contype IN ('p', 'u')",
            table,
        ):
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['name']}")
            made_again.append(f"ALTER TABLE {table} ADD CONSTRAINT {row['name']} {row['definition']}")
        for row in await connection.fetch(
            "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename = $1",
            table,
        ):
            await connection.execute(f"DROP INDEX {row['name']}")
            made_again.append(row["definition"])
    return made_again


async def _add_accounts(connection: asyncpg.Connection, owners: Sequence[Owner], books: _Books) -> None:
    addresses = [f"provider:bench:{CURRENCY}", *(f"wallet:{owner.wallet_id}" for owner in owners)]
    await connection.copy_records_to_table(
        "accounts",
        schema_name="wallet_ledger",
        columns=("id", "address", "currency", "floor_minor", "version", "previous_version", "debits_posted_minor",
                 "credits_posted_minor"),
        records=[
            (number + 1, address, CURRENCY, None if number == 0 else 0, books.versions[number],
             max(books.versions[number] - 1, 0), books.debits[number], books.credits[number])
            for number, address in enumerate(addresses)
        ],
    )  # fmt: skip
    await connection.execute("SELECT setval(pg_get_serial_sequence('accounts', 'id'), (SELECT max(id) FROM accounts))")
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "wallets",
        schema_name="wallet_ledger",
        columns=("id", "user_id", "account_id", "currency", "name", "is_home", "opened_at"),
        records=[
            (owner.wallet_id, owner.user_id, number + 2, CURRENCY, "Home", True, now) for number, owner in enumerate(owners)
        ],
    )


async def _run_jobs(url: str, say: Say) -> None:
    """Let the service's jobs catch up with the history, as they would have all along."""
    settings = Settings(database_url=url)
    service = build(settings, Platform.of(settings))
    work: tuple[tuple[str, Callable[[Any], Awaitable[None]], str], ...] = (
        ("Sealing", seal_blocks, "SELECT max(last_sequence) FROM wallet_ledger.blocks"),
        ("Keeping trial balances", keep_trial_balances, "SELECT max(sequence) FROM wallet_ledger.trial_balances"),
        ("Closing days", close_days, "SELECT max(last_sequence) FROM wallet_ledger.closed_stretches"),
    )
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for name, run, progress in work:
            before, now = -1, 0
            while now != before:
                say(f"{name}: {now:,} transactions done")
                await run(service.context)
                before, now = now, await connection.fetchval(progress) or 0
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
        await service.database.dispose()
