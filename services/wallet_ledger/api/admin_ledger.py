"""The ledger, as operators see it: accounts, transactions, verification, reversals."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from services.wallet_ledger.api.admin_adjustments import AdjustmentView, adjustment_json
from services.wallet_ledger.api.positions import cursor_of, number_before
from services.wallet_ledger.commands.note_verification import note_verification
from services.wallet_ledger.commands.reverse_transaction import reverse_transaction
from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.journal import AccountRow, JournalTransaction, Posting
from services.wallet_ledger.queries.accounts import list_accounts
from services.wallet_ledger.queries.transactions import SHOWN_POSTINGS, search_transactions, transaction_by_id
from services.wallet_ledger.queries.verification import verify_alone
from services.wallet_ledger.store.transaction_search import Search
from shared.http.auth import Admin, Support
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, CurrencyCode, Instant, ShortText, View
from shared.idempotency import Answer
from shared.money import MAX_AMOUNT_MINOR
from shared.verification import Fault, Report

router = APIRouter(prefix="/v1/admin/ledger", tags=["ledger"])

Amount = Annotated[int | None, Query(ge=1, le=MAX_AMOUNT_MINOR)]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]


class AccountView(View):
    """An account. Amounts are minor units; the balance is credits less debits."""

    id: int
    address: str = Field(examples=["fees:KES"])
    currency: str
    status: str
    version: int = Field(description="How many rows of the journal name it")
    balance: int
    available: int
    held: int = Field(description="Promised away")
    incoming: int = Field(description="Promised to it")
    floor: int | None = Field(description="How low it may go, held money counted as gone; null: no limit")
    opened_at: Instant


class TransactionView(View):
    """A transaction, posted or rejected."""

    id: UUID
    sequence: int = Field(description="Its place in the order of commits")
    requested_by: str
    idempotency_key: str
    kind: str
    reference: str | None
    description: str | None
    status: str
    rejection_code: str | None
    rejection_detail: str | None
    booked_at: Instant
    effective_on: date
    initiated_by: UUID | None
    reverses_id: UUID | None
    reversed_by_id: UUID | None
    transfer_count: int


class PostingView(View):
    """One row of a transaction. Minor units."""

    position: int
    id: UUID
    kind: str
    description: str | None
    debit_account: str
    credit_account: str
    currency: str
    amount: int = Field(description="What moved")
    held: int = Field(description="Above zero: was held; below zero: was released from a hold")
    debit_balance_after: int
    credit_balance_after: int


class FullTransactionView(TransactionView):
    """A transaction with its postings."""

    postings: list[PostingView] = Field(description=f"The first {SHOWN_POSTINGS}")


class FaultView(View):
    """Something that does not add up."""

    check: str
    where: str = Field(description="The first row at which it shows")
    what: str


class ReportView(View):
    """What the verification found."""

    sound: bool
    first_fault: FaultView | None = Field(description="The one that was written first, as far as that is known")
    faults: list[FaultView] = Field(description="The first fault of each check")
    transactions: int
    transfers: int
    accounts: int
    holds: int
    blocks: int
    seconds: float


class ReversalBody(Body):
    """Why a transaction is undone."""

    reason: ShortText = Field(examples=["Booked twice by the bank"])


async def _search(
    account: Annotated[Text, Query(description="An address that it touches", examples=["fees:KES"])] = None,
    kind: Text = None,
    reference: Text = None,
    status: Literal["posted", "rejected"] | None = None,
    from_instant: Annotated[Instant | None, Query(alias="from", description="Booked at or after")] = None,
    to_instant: Annotated[Instant | None, Query(alias="to", description="Booked before")] = None,
    min_amount: Annotated[
        int | None,
        Query(ge=1, le=MAX_AMOUNT_MINOR, description="A posting (of the account, if one is named) of at least so much"),
    ] = None,
    max_amount: Annotated[
        int | None, Query(ge=1, le=MAX_AMOUNT_MINOR, description="A posting (of the account, if one is named) of at most so much")
    ] = None,
) -> Search:
    return Search(account, kind, reference, status, from_instant, to_instant, min_amount, max_amount)


@router.get("/accounts")
async def list_ledger_accounts(
    context: Ctx,
    _: Support,
    paging: Paging,
    prefix: Annotated[Text, Query(description="The address begins with this, such as wallet: or fees:KES")] = None,
    currency: CurrencyCode | None = None,
) -> Page[AccountView]:
    """Accounts, newest first; with a prefix or a currency by address, the last first, which of wallets is the newest."""
    found = await list_accounts(context, prefix, currency, number_before(paging), paging.fetch)
    return paging.page(found, lambda account: cursor_of(account.id), _account)


@router.get("/transactions")
async def list_ledger_transactions(
    context: Ctx, _: Support, paging: Paging, search: Annotated[Search, Depends(_search)]
) -> Page[TransactionView]:
    """Transactions, newest first, those that match everything that is given.

    A search that takes long answers with what it has found so far, which may be nothing, and a cursor with which it goes on.
    Naming a reference, an account or a period makes it short.
    """
    found = await search_transactions(context, search, number_before(paging), paging.fetch)
    goes_on = cursor_of(found.goes_on_before) if found.goes_on_before is not None else None
    return paging.page(found.transactions, lambda transaction: cursor_of(transaction.sequence), _transaction, goes_on)


@router.get("/transactions/{transaction_id}")
async def get_ledger_transaction(context: Ctx, _: Support, transaction_id: UUID) -> FullTransactionView:
    """One transaction with its postings."""
    transaction, postings = await transaction_by_id(context, transaction_id)
    view = _transaction(transaction).model_dump()
    return FullTransactionView(**view, postings=[_posting(posting) for posting in postings])


@router.post("/verify")
async def verify_the_ledger(context: Ctx, user: Admin) -> ReportView:
    """Recompute everything from the journal. This takes a while for a long one; posting goes on meanwhile."""
    report = await verify_alone(context)
    await note_verification(context, user.user_id, report)
    return _report(report)


@router.post(
    "/transactions/{transaction_id}/reverse",
    status_code=201,
    response_model=TransactionView,
    responses={202: {"model": AdjustmentView, "description": "It moves so much that a second person has to approve it"}},
)
async def reverse_a_transaction(
    context: Ctx, user: Admin, request: Idempotent, transaction_id: UUID, body: ReversalBody
) -> JSONResponse:
    """Move everything back that a transaction moved, by a new transaction. Once only.

    Beyond the amount that one person may reverse (`LENDERY_LEDGER_REVERSAL_ALONE_MINOR`) it becomes an adjustment that waits for
    another administrator: 202, to be approved at `/v1/admin/ledger/adjustments/{id}/approve`.
    """
    outcome = await reverse_transaction(context, transaction_id, body.reason, user.user_id, request, adjustment_json)
    if isinstance(outcome, Answer):
        return respond(outcome)
    reversal, _ = await transaction_by_id(context, outcome.transaction_id)
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
    return JSONResponse(_transaction(reversal).model_dump(mode="json"), status_code=201, headers=headers)


def _account(account: AccountRow) -> AccountView:
    return AccountView(
        id=account.id,
        address=account.address,
        currency=account.currency,
        status=account.status,
        version=account.version,
        balance=account.balance_minor,
        available=account.balance_minor - account.held_minor,
        held=account.held_minor,
        incoming=account.incoming_minor,
        floor=account.floor_minor,
        opened_at=account.opened_at,
    )


def _transaction(transaction: JournalTransaction) -> TransactionView:
    return TransactionView(
        id=transaction.id,
        sequence=transaction.sequence,
        requested_by=transaction.scope,
        idempotency_key=transaction.idempotency_key,
        kind=transaction.kind,
        reference=transaction.reference,
        description=transaction.description,
        status=transaction.status,
        rejection_code=transaction.rejection_code,
        rejection_detail=transaction.rejection_detail,
        booked_at=transaction.booked_at,
        effective_on=transaction.effective_on,
        initiated_by=transaction.initiated_by,
        reverses_id=transaction.reverses_id,
        reversed_by_id=transaction.reversed_by_id,
        transfer_count=transaction.transfer_count,
    )


def _posting(posting: Posting) -> PostingView:
    return PostingView(
        position=posting.position,
        id=posting.id,
        kind=posting.kind,
        description=posting.description,
        debit_account=posting.debit_account,
        credit_account=posting.credit_account,
        currency=posting.currency,
        amount=posting.amount_minor,
        held=posting.held_minor,
        debit_balance_after=posting.debit_balance_after_minor,
        credit_balance_after=posting.credit_balance_after_minor,
    )


def _report(report: Report) -> ReportView:
    first = report.first_fault
    return ReportView(
        sound=report.sound,
        first_fault=_fault(first) if first is not None else None,
        faults=[_fault(fault) for fault in report.faults],
        transactions=report.counts["transactions"],
        transfers=report.counts["transfers"],
        accounts=report.counts["accounts"],
        holds=report.counts["holds"],
        blocks=report.counts["blocks"],
        seconds=round(report.seconds, 3),
    )


def _fault(fault: Fault) -> FaultView:
    return FaultView(check=fault.check, where=fault.where, what=fault.what)
