"""Writes what the core decided: one statement, which does nothing unless the ledger is where the core thought it was."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.wallet_ledger.domain.account import Account, HeldMoney
from services.wallet_ledger.domain.book import BatchResult
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store import ledger_statements as sql
from services.wallet_ledger.store.announcements import Origin, OutboxRow


class StaleBook(Exception):
    """The ledger has moved on since the book was read."""


Write = tuple[Any, ...]
"""A batch as it goes to the server: the arguments of `POST_BATCH`."""


def write_of(
    result: BatchResult,
    after: UUID | None,
    origins: Sequence[Origin],
    messages: Sequence[OutboxRow],
    *,
    shard: int,
    channel: str,
) -> Write:
    """What writes a batch that follows transaction `after`, if any.

    `origins` are those of the recorded transactions, in their order.
    """
    accounts, holds = result.accounts.values(), result.holds.values()
    rows: tuple[Sequence[Sequence[Any]], ...] = (
        [_opened(account) for account in accounts if account.is_new],
        [_advanced(account) for account in accounts if not account.is_new],
        [_entered(*one, origin) for one, origin in zip(result.recorded, origins, strict=True)],
        result.transfers,
        [_held(hold) for hold in holds if hold.is_new],
        [_settled(hold) for hold in holds if not hold.is_new],
        messages,
    )
    before = result.last_sequence_before or None
    return (shard, before, after, channel, result.booked_at, *(part or None for part in rows))


async def write(connection: asyncpg.Connection, batch: Write) -> None:
    """Write a batch. Raises `StaleBook`, having written nothing, when it follows another transaction than the last."""
    if not await connection.fetchval(sql.POST_BATCH, *batch):
        raise StaleBook


def _opened(account: Account) -> tuple[Any, ...]:
    return (
        account.id,
        account.address,
        account.currency,
        account.floor_minor,
        account.version,
        account.debits_posted_minor,
        account.credits_posted_minor,
        account.debits_pending_minor,
        account.credits_pending_minor,
    )


def _advanced(account: Account) -> tuple[Any, ...]:
    return (
        account.id,
        account.stored_version,
        account.version,
        account.debits_posted_minor,
        account.credits_posted_minor,
        account.debits_pending_minor,
        account.credits_pending_minor,
        account.debited_on,
        account.debited_minor,
        account.status,
        account.floor_minor,
        account.maximum_balance_minor,
        account.daily_debit_limit_minor,
    )


def _entered(transaction: Transaction, outcome: Outcome, transfer_count: int, origin: Origin) -> tuple[Any, ...]:
    return (
        outcome.sequence,
        transaction.id,
        transaction.scope,
        transaction.idempotency_key,
        transaction.fingerprint,
        transaction.kind,
        transaction.reference,
        transaction.description,
        outcome.status,
        outcome.code,
        outcome.detail,
        transaction.effective_on,
        transaction.initiated_by,
        transaction.reverses,
        transfer_count,
        *origin,
    )


def _held(hold: HeldMoney) -> tuple[Any, ...]:
    return (
        hold.id,
        hold.group,
        hold.kind,
        hold.description,
        hold.debit.id,
        hold.credit.id,
        hold.currency,
        hold.amount_minor,
        hold.expires_at,
        hold.status.value,
        hold.posted_amount_minor,
        *hold.opened,
        *(hold.settled or (None, None)),
    )


def _settled(hold: HeldMoney) -> tuple[Any, ...]:
    return (hold.id, hold.status.value, hold.posted_amount_minor, *(hold.settled or (None, None)))
