"""What every change of an account has in common: the ledger's turn, a note in the journal, the audit log, the owner's event."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.account_state import AccountState
from services.wallet_ledger.domain.problems import AccountNotFound
from services.wallet_ledger.store.unit_of_work import LedgerWork
from shared.contracts.wallet_ledger.account_events import WalletStatusChanged

AccountName = int | str
"""An account's id, or its address."""
Change = Callable[[LedgerWork, AccountState], Awaitable[bool]]
"""Writes a change; false when there was nothing to change."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants what done to an account, and why. `action` is a past participle: frozen, closed."""

    action: str
    actor_id: UUID
    reason: str


async def change_account(context: Context, name: AccountName, order: Order, change: Change) -> AccountState:
    """The account after `change`; nothing that it forbids is posted once this has returned. Raises `AccountNotFound`."""
    async with context.unit_of_work() as work:
        return await change_in(work, name, order, change)


async def change_in(work: LedgerWork, name: AccountName, order: Order, change: Change) -> AccountState:
    """The same within a unit of work that has nothing left to do but this."""
    await work.controls.take_turn()
    before = await account_in(work, name)
    if not await change(work, before):
        return before
    after = await account_in(work, before.id)
    kind = f"account.{order.action}"
    note = await work.controls.note(
        kind, f"account:{before.address}", reason=order.reason, initiated_by=order.actor_id, now=work.now
    )
    work.outbox.publish(note, aggregate_id=note.transaction_id)
    work.publish_action(
        kind,
        actor=order.actor_id,
        subject_id=before.address,
        before=before.facts(),
        after={**after.facts(), "reason": order.reason},
    )
    if after.status != before.status:
        tell_status(work, after, note.booked_at, "owner_asked" if order.actor_id == after.user_id else "operator")
    return after


async def account_in(work: LedgerWork, name: AccountName) -> AccountState:
    """The account. Raises `AccountNotFound`."""
    account = await work.controls.find(name, today=work.now)
    if account is None:
        raise AccountNotFound("Use an id or an address of GET /v1/admin/ledger/accounts.")
    return account


def tell_status(work: LedgerWork, account: AccountState, changed_at: datetime, because: str) -> None:
    """Tell whoever cares what a wallet may do now; other accounts have no owner."""
    if account.wallet_id is None or account.user_id is None:
        return
    changed = {
        "wallet_id": account.wallet_id,
        "user_id": account.user_id,
        "currency": account.currency,
        "status": account.status,
        "changed_at": changed_at,
        "because": because,
    }
    work.outbox.publish(WalletStatusChanged.model_validate(changed), aggregate_id=account.wallet_id)
