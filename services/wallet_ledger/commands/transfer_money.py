"""Send money from one's own wallet to another, named by its id or by its owner's e-mail address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.problems import (
    CurrencyMismatch,
    InsufficientFunds,
    LimitExceeded,
    SameWallet,
    TransferRefused,
    WalletClosed,
    WalletFrozen,
    WalletNotFound,
)
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store.journal import Journal
from services.wallet_ledger.store.lane import TransactionRefused
from services.wallet_ledger.store.people import indexes_of
from services.wallet_ledger.store.wallet_lookup import OwnedWallet
from services.wallet_ledger.store.wallets import WalletStore
from shared.contracts.wallet_ledger.wallet_events import TransferCompleted
from shared.db import eventually
from shared.idempotency import IdempotentRequest, KeyReused
from shared.ids import new_id
from shared.messaging.envelope import Event
from shared.problems import Problem

KIND = "transfer"

_PROBLEMS: dict[str, type[Problem]] = {
    "same_account": SameWallet,
    "currency_mismatch": CurrencyMismatch,
    "insufficient_funds": InsufficientFunds,
    "account_not_found": WalletNotFound,
    "account_frozen": WalletFrozen,
    "account_closed": WalletClosed,
    "maximum_balance_exceeded": LimitExceeded,
    "daily_debit_limit_exceeded": LimitExceeded,
}
_ADVICE = {
    "account_frozen": "Ask support; money can still come in.",
    "account_closed": "Use another wallet.",
    "maximum_balance_exceeded": "Send less, or to another wallet.",
    "daily_debit_limit_exceeded": "Send less, or wait until tomorrow (UTC).",
}


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """What somebody wants to send; exactly one of the two recipients is given."""

    user_id: UUID
    from_wallet_id: UUID
    to_wallet_id: UUID | None
    to_email: str | None
    amount_minor: int
    currency: str
    description: str | None


@dataclass(frozen=True, slots=True)
class CompletedTransfer:
    """Money that was sent."""

    id: UUID
    from_wallet_id: UUID
    to_wallet_id: UUID
    amount_minor: int
    currency: str
    description: str | None
    completed_at: datetime
    replayed: bool


async def transfer_money(context: Context, order: TransferOrder, request: IdempotentRequest) -> CompletedTransfer:
    """Move the money, once for the request's key, for ever.

    Raises `WalletNotFound`, `SameWallet`, `CurrencyMismatch`, `InsufficientFunds`, `WalletFrozen`, `WalletClosed`,
    `LimitExceeded`, `TransferRefused`, `KeyReused`, and what the poster raises when it is busy or cannot be reached.
    """
    scope = f"user:{request.owner}"
    try:
        sender, recipient = await _wallets(context, order)
    except Problem:
        # The first request with this key may have gone through when things were otherwise.
        if (first := await _known(context, scope, request)) is not None:
            return first
        raise
    transaction = Transaction(
        id=new_id(),
        scope=scope,
        idempotency_key=request.key,
        fingerprint=request.fingerprint,
        kind=KIND,
        entries=(Transfer(new_id(), f"wallet:{sender.id}", f"wallet:{recipient.id}", order.amount_minor, order.currency),),
        description=order.description,
        initiated_by=order.user_id,
    )

    def announce(outcome: Outcome) -> Sequence[tuple[Event, UUID]]:
        return [(_event(transaction, order, sender, recipient, outcome), transaction.id)] if outcome.posted else []

    try:
        outcome = await context.poster.post(transaction, announce=announce)
    except TransactionRefused as error:
        raise KeyReused("Use a new key for a new request.") from error
    if outcome.replayed:
        first = await _known(context, scope, request)
        assert first is not None  # noqa: S101 what the poster knows is in the journal
        return first
    if not outcome.posted:
        raise _problem(outcome.code, outcome.detail)
    return CompletedTransfer(
        transaction.id,
        sender.id,
        recipient.id,
        order.amount_minor,
        order.currency,
        order.description,
        outcome.booked_at,
        replayed=False,
    )


async def _wallets(context: Context, order: TransferOrder) -> tuple[OwnedWallet, OwnedWallet]:
    """The sender's and the recipient's wallet. Whether they go together the ledger decides, and remembers for the key."""
    named = [wallet_id for wallet_id in (order.from_wallet_id, order.to_wallet_id) if wallet_id is not None]
    found = await context.wallet_lookup.find(named)
    sender = found.get(order.from_wallet_id)
    recipient = found.get(order.to_wallet_id) if order.to_wallet_id is not None else None
    if sender is None or sender.user_id != order.user_id:
        raise WalletNotFound("from_wallet_id is none of your wallets. GET /v1/wallets lists them.")
    if order.to_email is not None:
        # Which of the recipient's wallets is meant follows from the currency, so that must be right first.
        if sender.currency != order.currency:
            raise CurrencyMismatch(f"The wallet holds {sender.currency}, not {order.currency}. Use a wallet in {order.currency}.")
        recipient = await _recipient(context, order.to_email, order.currency)
    if recipient is None:
        raise WalletNotFound("to.wallet_id is the id of no wallet. Ask the recipient for it, or send to their e-mail address.")
    return sender, recipient


async def _recipient(context: Context, email: str, currency: str) -> OwnedWallet:
    indexes = indexes_of(context.vault, email)

    async def read() -> OwnedWallet | None:
        async with context.read() as connection:
            wallet = await WalletStore(connection).receiving(indexes, currency)
        return OwnedWallet(wallet.id, wallet.user_id, wallet.currency) if wallet is not None else None

    wallet = await eventually(read)
    if wallet is None:
        raise WalletNotFound(f"Nobody with this e-mail address has a wallet in {currency}.")
    return wallet


async def _known(context: Context, scope: str, request: IdempotentRequest) -> CompletedTransfer | None:
    """The first answer to this key, as the journal has it. Raises what the first request was answered with."""
    async with context.read() as connection:
        journal = Journal(connection)
        first = await journal.transaction_of_key(scope, request.key)
        if first is None:
            return None
        if first.fingerprint != request.fingerprint:
            raise KeyReused("Use a new key for a new request.")
        if first.status == "rejected":
            raise _problem(first.rejection_code, first.rejection_detail, replayed=True)
        (posting,) = await journal.postings(first.id, limit=1)
    return CompletedTransfer(
        first.id,
        UUID(posting.debit_account.removeprefix("wallet:")),
        UUID(posting.credit_account.removeprefix("wallet:")),
        posting.amount_minor,
        posting.currency,
        first.description,
        first.booked_at,
        replayed=True,
    )


def _problem(code: str | None, detail: str | None, *, replayed: bool = False) -> Problem:
    kind = _PROBLEMS.get(code or "", TransferRefused)
    return kind(
        f"{detail or ''} {_ADVICE.get(code or '', '')}".strip(), headers={"Idempotent-Replayed": "true"} if replayed else None
    )


def _event(
    transaction: Transaction, order: TransferOrder, sender: OwnedWallet, recipient: OwnedWallet, outcome: Outcome
) -> TransferCompleted:
    return TransferCompleted(
        transfer_id=transaction.id,
        from_user_id=sender.user_id,
        from_wallet_id=sender.id,
        to_user_id=recipient.user_id,
        to_wallet_id=recipient.id,
        amount_minor=order.amount_minor,
        currency=order.currency,
        description=order.description,
        completed_at=outcome.booked_at,
    )
