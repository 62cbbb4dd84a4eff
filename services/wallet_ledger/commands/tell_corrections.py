"""What is told with a correction that operators post: each wallet that it touched, and the audit log."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store.announcements import SOURCE, Announce
from services.wallet_ledger.store.wallets import WalletStore
from shared.contracts.auth.audit_events import ActionTaken
from shared.contracts.wallet_ledger.account_events import WalletCorrected
from shared.ids import new_id
from shared.messaging.envelope import Event
from shared.telemetry import trace

_WALLET = "wallet:"


async def owners_of(context: Context, transaction: Transaction) -> dict[UUID, UUID]:
    """Whose the wallets are that a correction would touch."""
    transfers = [entry for entry in transaction.entries if isinstance(entry, Transfer)]
    addresses = {address for one in transfers for address in (one.debit_account, one.credit_account)}
    wallet_ids = {UUID(address.removeprefix(_WALLET)) for address in addresses if address.startswith(_WALLET)}
    async with context.read() as connection:
        found = await WalletStore(connection).find_all(wallet_ids)
    return {wallet_id: wallet.user_id for wallet_id, wallet in found.items()}


def corrections_of(transaction: Transaction, outcome: Outcome, owners: Mapping[UUID, UUID]) -> list[WalletCorrected]:
    """What a posted correction means to each wallet, all its entries together."""
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for entry in transaction.entries:
        if isinstance(entry, Transfer):
            moved[entry.debit_account, entry.currency] -= entry.amount_minor
            moved[entry.credit_account, entry.currency] += entry.amount_minor
    return [
        WalletCorrected(
            transaction_id=transaction.id,
            wallet_id=UUID(address.removeprefix(_WALLET)),
            kind=transaction.kind,
            reverses_id=transaction.reverses,
            direction="credit" if amount_minor > 0 else "debit",
            amount_minor=abs(amount_minor),
            currency=currency,
            reason=transaction.description or "",
            booked_at=outcome.booked_at,
            user_id=owners.get(UUID(address.removeprefix(_WALLET))),
        )
        for (address, currency), amount_minor in sorted(moved.items())
        if address.startswith(_WALLET) and amount_minor
    ]


async def announce_correction(context: Context, transaction: Transaction, *also: tuple[Event, UUID]) -> Announce:
    """Tells the wallets, and what else there is to tell, if it is posted."""
    owners = await owners_of(context, transaction)

    def announce(outcome: Outcome) -> Sequence[tuple[Event, UUID]]:
        if not outcome.posted:
            return []
        return [*((event, event.wallet_id) for event in corrections_of(transaction, outcome, owners)), *also]

    return announce


def action_taken(
    action: str, actor_id: UUID, subject_id: UUID, subject_kind: str, now: datetime, after: Mapping[str, Any]
) -> ActionTaken:
    """An entry of the audit log to be written in the posting's own commit, made while the request is at hand."""
    return ActionTaken(
        id=new_id(),
        at=now,
        service=SOURCE,
        action=action,
        actor_kind="user",
        actor_id=actor_id,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        address=trace.client_address(),
        request_id=trace.request_id(),
        trace_id=trace.current().trace_id,
        after=dict(after),
    )
