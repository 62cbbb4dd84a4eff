"""Changes of accounts beside the poster: what they may do. No money moves here.

The poster decides batches ahead of their turn, on accounts as they were when it looked. So a change takes the ledger's turn
(the lock under which batches are written) and adds a transaction without transfers to the journal: every batch that was
decided before then follows another transaction than the last, cannot be written, and is decided again on what holds now. Once
the change is committed nothing is posted that it forbids.
"""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.account_state import AccountState, Freeze, FreezeCause, Limits
from services.wallet_ledger.store.entries import EntryStore
from services.wallet_ledger.store.ledger_statements import LOCK_CLASS
from services.wallet_ledger.store.tables import account_freezes, accounts, wallets
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted
from shared.ids import new_id

SCOPE = "wallet_ledger"
_SHARD = 0  # the poster's; there is one ledger
_TURN = f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {_SHARD})"
# Whoever holds the ledger's turn holds up everybody: not for long, should this process hang.
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '15s'"
_NOTE = """
WITH last AS (
    SELECT sequence, booked_at FROM transactions ORDER BY sequence DESC LIMIT 1
), following AS (
    SELECT coalesce((SELECT sequence FROM last), 0) + 1 AS sequence,
           greatest($9::timestamptz, (SELECT booked_at FROM last)) AS booked_at
)
INSERT INTO transactions (
    sequence, id, scope, idempotency_key, fingerprint, kind, reference, description, initiated_by, status, booked_at,
    effective_on, transfer_count
)
SELECT sequence, $1::uuid, $2::text, $3::text, $4::bytea, $5::text, $6::text, $7::text, $8::uuid, 'posted', booked_at,
       (booked_at AT TIME ZONE 'UTC')::date, 0
FROM following
RETURNING booked_at
"""
_DEBITED = """
SELECT coalesce(sum(CASE WHEN pending_minor > 0 THEN pending_minor WHEN pending_minor = 0 THEN amount_minor ELSE 0 END), 0)
FROM transfers WHERE debit_account_id = $1 AND debit_version > $2 AND debit_version <= $3
"""
_SELECT = sa.select(accounts, wallets.c.id.label("wallet_id"), wallets.c.user_id, wallets.c.is_home).join_from(
    accounts, wallets, wallets.c.account_id == accounts.c.id, isouter=True
)


class AccountControls:
    """What accounts may do, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take_turn(self) -> None:
        """Until this transaction ends nobody posts. Come with everything else already looked up."""
        await self._connection.exec_driver_sql(_PATIENCE)
        await self._connection.exec_driver_sql(_TURN)

    async def note(
        self, kind: str, reference: str, *, reason: str | None, initiated_by: UUID | None, now: datetime
    ) -> TransactionPosted:
        """Add the change to the journal, which makes everything stale that was decided before; what to tell about it."""
        note_id = new_id()
        key = f"{kind}:{note_id}"
        fingerprint = hashlib.sha256(f"{key} {reference}".encode()).digest()
        values = (note_id, SCOPE, key, fingerprint, kind, reference, reason, initiated_by, now)
        booked_at: datetime = (await self._connection.exec_driver_sql(_NOTE, values)).scalar_one()
        return TransactionPosted(
            transaction_id=note_id,
            idempotency_key=key,
            requested_by=SCOPE,
            kind=kind,
            reference=reference,
            booked_at=booked_at,
        )

    async def find(self, name: int | str, *, today: datetime) -> AccountState | None:
        """The account of this id or address."""
        column = accounts.c.id if isinstance(name, int) else accounts.c.address
        row = (await self._connection.execute(_SELECT.where(column == name))).mappings().one_or_none()
        if row is None:
            return None
        freezes = await self._connection.execute(
            sa.select(account_freezes).where(account_freezes.c.account_id == row["id"]).order_by(account_freezes.c.frozen_at)
        )
        return replace(_state(row, today), freezes=tuple(_freeze(one) for one in freezes.mappings()))

    async def accounts_of(self, user_id: UUID, *, status: str | None = None) -> set[int]:
        """The accounts of a person's wallets: those with this status, or all that are not closed."""
        query = sa.select(accounts.c.id).join_from(wallets, accounts, accounts.c.id == wallets.c.account_id)
        wanted = accounts.c.status == status if status is not None else accounts.c.status != "closed"
        return set((await self._connection.execute(query.where(wallets.c.user_id == user_id, wanted))).scalars())

    async def set_status(self, account_ids: Collection[int], status: str) -> None:
        """Write the status. Only in the ledger's turn, and with a note."""
        change = sa.update(accounts).where(accounts.c.id.in_(account_ids), accounts.c.status != "closed")
        await self._connection.execute(change.values(status=status))

    async def set_limits(self, account: AccountState, limits: Limits, now: datetime, debited_minor: int) -> None:
        """Write both limits. One day's debits are counted from now on, beginning with `debited_minor` if they were not yet."""
        values: dict[str, Any] = {
            "maximum_balance_minor": limits.maximum_balance_minor,
            "daily_debit_limit_minor": limits.daily_debit_limit_minor,
        }
        if account.limits.daily_debit_limit_minor is None and limits.daily_debit_limit_minor is not None:
            values |= {"debited_on": now.date(), "debited_minor": debited_minor}
        await self._connection.execute(sa.update(accounts).where(accounts.c.id == account.id).values(values))

    async def debited_today(self, account_id: int, version: int, now: datetime, *, after: int | None = None) -> int:
        """What left the account today up to `version`, promises counted; above version `after` only, if it is given."""
        if after is None:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            after = await EntryStore(self._connection).version_before(account_id, midnight)
        return int((await self._connection.exec_driver_sql(_DEBITED, (account_id, after, version))).scalar_one())

    async def add_freezes(self, account_ids: Collection[int], freeze: Freeze) -> None:
        """Note a cause for each of some accounts that do not have it."""
        rows = [
            {
                "account_id": account_id,
                "cause": freeze.cause.value,
                "reason": freeze.reason,
                "frozen_by": freeze.frozen_by,
                "frozen_at": freeze.frozen_at,
            }
            for account_id in account_ids
        ]
        await self._connection.execute(insert(account_freezes).on_conflict_do_nothing(), rows)

    async def drop_freezes(self, account_ids: Collection[int], cause: FreezeCause) -> set[int]:
        """Take a cause away; those of the accounts for which it was the last one."""
        gone = sa.delete(account_freezes).where(
            account_freezes.c.account_id.in_(account_ids), account_freezes.c.cause == cause.value
        )
        dropped = set((await self._connection.execute(gone.returning(account_freezes.c.account_id))).scalars())
        still = sa.select(account_freezes.c.account_id).where(account_freezes.c.account_id.in_(dropped))
        return dropped - set((await self._connection.execute(still)).scalars())


def _state(row: Any, today: datetime) -> AccountState:
    return AccountState(
        id=row["id"],
        address=row["address"],
        currency=row["currency"],
        status=row["status"],
        version=row["version"],
        balance_minor=row["credits_posted_minor"] - row["debits_posted_minor"],
        held_minor=row["debits_pending_minor"],
        incoming_minor=row["credits_pending_minor"],
        floor_minor=row["floor_minor"],
        limits=Limits(row["maximum_balance_minor"], row["daily_debit_limit_minor"]),
        debited_minor=row["debited_minor"] if row["debited_on"] == today.date() else 0,
        opened_at=row["opened_at"],
        wallet_id=row["wallet_id"],
        user_id=row["user_id"],
        is_home=bool(row["is_home"]),
    )


def _freeze(row: Any) -> Freeze:
    return Freeze(FreezeCause(row["cause"]), row["reason"], row["frozen_by"], row["frozen_at"])
