"""The trial balance: every account summed up, now or at an instant."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.journal import TrialBalanceLine
from services.wallet_ledger.queries.accounts import trial_balance
from shared.http.auth import Support
from shared.http.schemas import CurrencyCode, Instant, View

router = APIRouter(prefix="/v1/admin/ledger", tags=["ledger"])


class TrialBalanceLineView(View):
    """All accounts of one kind in one currency. Minor units."""

    currency: str
    kind: str = Field(description="The first part of their addresses", examples=["wallet"])
    accounts: int = Field(description="How many of them had been used by then")
    debits: int
    credits: int
    balance: int = Field(description="Credits less debits")
    pending_debits: int
    pending_credits: int


class CurrencyTotalView(View):
    """One currency: balanced when debits equal credits, and pending debits equal pending credits."""

    currency: str
    debits: int
    credits: int
    difference: int
    pending_debits: int
    pending_credits: int
    balanced: bool


class TrialBalanceView(View):
    """The trial balance."""

    balanced: bool
    totals: list[CurrencyTotalView]
    lines: list[TrialBalanceLineView]


@router.get("/trial-balance")
async def get_trial_balance(
    context: Ctx,
    _: Support,
    at: Annotated[Instant | None, Query(description="The instant; now when it is left out")] = None,
    currency: CurrencyCode | None = None,
) -> TrialBalanceView:
    """Every account summed up, by currency and kind of account, now or as it was at an instant.

    Now it adds up the accounts themselves. At an instant it takes the nearest trial balance kept before it (one at the end of
    each day, more on busy days) and adds what was booked from there on.
    """
    lines = [line for line in await trial_balance(context, at) if currency in (None, line.currency)]
    totals = [
        _currency_total(currency, [line for line in lines if line.currency == currency])
        for currency in dict.fromkeys(line.currency for line in lines)
    ]
    return TrialBalanceView(
        balanced=all(total.balanced for total in totals), totals=totals, lines=[_line(line) for line in lines]
    )


def _line(line: TrialBalanceLine) -> TrialBalanceLineView:
    return TrialBalanceLineView(
        currency=line.currency,
        kind=line.kind,
        accounts=line.accounts,
        debits=line.debits_minor,
        credits=line.credits_minor,
        balance=line.credits_minor - line.debits_minor,
        pending_debits=line.pending_debits_minor,
        pending_credits=line.pending_credits_minor,
    )


def _currency_total(currency: str, lines: list[TrialBalanceLine]) -> CurrencyTotalView:
    debits, credits_ = sum(line.debits_minor for line in lines), sum(line.credits_minor for line in lines)
    pending_debits = sum(line.pending_debits_minor for line in lines)
    pending_credits = sum(line.pending_credits_minor for line in lines)
    return CurrencyTotalView(
        currency=currency,
        debits=debits,
        credits=credits_,
        difference=credits_ - debits,
        pending_debits=pending_debits,
        pending_credits=pending_credits,
        balanced=debits == credits_ and pending_debits == pending_credits,
    )
