"""Accounts of the ledger one by one: what operators may let them do."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from services.wallet_ledger.commands.close_account import close_account
from services.wallet_ledger.commands.freeze_account import freeze_account, unfreeze_account
from services.wallet_ledger.commands.limit_account import limit_account
from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.account_state import AccountState, Limits
from services.wallet_ledger.queries.account_states import account_state
from shared.http.auth import Admin, Support
from shared.http.schemas import Body, Instant, ShortText, View
from shared.money import MAX_AMOUNT_MINOR

router = APIRouter(prefix="/v1/admin/ledger/accounts", tags=["ledger"])

_HIGHEST_ID = 2**63 - 1
AccountPath = Annotated[
    str,
    Path(
        description="The account's id, or its address",
        min_length=1,
        max_length=120,
        pattern=r"^[A-Za-z0-9_:-]+$",
        examples=["fees:KES"],
    ),
]
Limit = Annotated[int | None, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR, description="Minor units; null: no limit")]


class FreezeView(View):
    """One cause of a freeze; the account opens when the last one is gone."""

    cause: str = Field(description="operator, or suspension of its owner", json_schema_extra={"enum": ["operator", "suspension"]})
    reason: str = Field(examples=["Reported stolen"])
    frozen_by: UUID | None = Field(description="The operator; null when the platform did it")
    frozen_at: Instant


class AccountDetailView(View):
    """An account with its limits and freezes. Amounts are minor units; the balance is credits less debits."""

    id: int
    address: str = Field(examples=["wallet:01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77"])
    currency: str
    status: str = Field(
        description="open, frozen (money comes in, none leaves or is promised) or closed (nothing moves any more)",
        json_schema_extra={"enum": ["open", "frozen", "closed"]},
    )
    version: int = Field(description="How many rows of the journal name it")
    balance: int
    available: int
    held: int = Field(description="Promised away")
    incoming: int = Field(description="Promised to it")
    floor: int | None = Field(description="How low it may go, held money counted as gone; null: no limit")
    maximum_balance: int | None = Field(description="What it may hold, promises to it counted; null: no limit")
    daily_debit_total: int | None = Field(description="What may leave it in one day (UTC), promises counted; null: no limit")
    debited_today: int = Field(description="What has left it today; counted only where there is a limit")
    freezes: list[FreezeView]
    wallet_id: UUID | None = Field(description="The wallet, if it is one's account")
    user_id: UUID | None = Field(description="The wallet's owner")
    opened_at: Instant


class ReasonBody(Body):
    """Why. It is kept in the journal and in the audit log: no personal data."""

    reason: ShortText = Field(examples=["Reported stolen, case 4711"])


class LimitsBody(ReasonBody):
    """Both limits as they shall be from now on."""

    maximum_balance: Limit = Field(examples=[10_000_000])
    daily_debit_total: Limit = Field(examples=[1_000_000])


@router.get("/{account}")
async def get_ledger_account(context: Ctx, _: Support, account: AccountPath) -> AccountDetailView:
    """One account, by its id or its address, with its limits and why it is frozen."""
    return _view(await account_state(context, _name(account)))


@router.post("/{account}/freeze")
async def freeze_ledger_account(context: Ctx, user: Admin, account: AccountPath, body: ReasonBody) -> AccountDetailView:
    """Let no money leave the account. Once this is answered nothing is posted that takes or promises some of it.

    What was promised before goes its way, and money may come in. Freezing it again changes nothing.
    """
    return _view(await freeze_account(context, _name(account), body.reason, user.user_id))


@router.post("/{account}/unfreeze")
async def unfreeze_ledger_account(context: Ctx, user: Admin, account: AccountPath, body: ReasonBody) -> AccountDetailView:
    """Take an operator's freeze back. An account whose owner is suspended stays frozen: 409 `owner_suspended`."""
    return _view(await unfreeze_account(context, _name(account), body.reason, user.user_id))


@router.put("/{account}/limits")
async def limit_ledger_account(context: Ctx, user: Admin, account: AccountPath, body: LimitsBody) -> AccountDetailView:
    """Set what the account may hold and what may leave it in one day. What is there already stays."""
    limits = Limits(body.maximum_balance, body.daily_debit_total)
    return _view(await limit_account(context, _name(account), limits, body.reason, user.user_id))


@router.post("/{account}/close")
async def close_ledger_account(context: Ctx, user: Admin, account: AccountPath, body: ReasonBody) -> AccountDetailView:
    """Close the account for good: nothing moves any more. It must be empty, and nothing may count on it.

    409 `account_not_empty`, `wallet_in_use`, `home_wallet` or `platform_account` otherwise, saying what to do first.
    """
    return _view(await close_account(context, _name(account), body.reason, user.user_id))


def _name(account: str) -> int | str:
    return min(int(account), _HIGHEST_ID) if account.isascii() and account.isdecimal() else account


def _view(account: AccountState) -> AccountDetailView:
    return AccountDetailView(
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
        maximum_balance=account.limits.maximum_balance_minor,
        daily_debit_total=account.limits.daily_debit_limit_minor,
        debited_today=account.debited_minor,
        freezes=[
            FreezeView(cause=one.cause.value, reason=one.reason, frozen_by=one.frozen_by, frozen_at=one.frozen_at)
            for one in account.freezes
        ],
        wallet_id=account.wallet_id,
        user_id=account.user_id,
        opened_at=account.opened_at,
    )
