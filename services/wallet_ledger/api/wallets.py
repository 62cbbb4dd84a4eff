"""Wallets: what is in them and what went through them."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.wallet_ledger.api.positions import cursor_of, number_before
from services.wallet_ledger.commands.close_account import close_wallet
from services.wallet_ledger.commands.open_wallet import ensure_home_wallet, open_wallet
from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.journal import Entry
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.queries.wallets import By, balance_at, entries_of, wallet_of, wallets_of
from shared.http.auth import CurrentUser
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, CurrencyCode, Instant, ShortText, View

router = APIRouter(prefix="/v1/wallets", tags=["wallets"])


class WalletBody(Body):
    """A further wallet."""

    currency: CurrencyCode
    name: ShortText | None = Field(None, description="Your own name for it", examples=["Holidays"])


class WalletView(View):
    """A wallet. Amounts are minor units of its currency."""

    id: UUID
    name: str = Field(examples=["Main"])
    currency: str = Field(examples=["KES"])
    status: str = Field(
        description="open, frozen (money comes in but not out) or closed",
        json_schema_extra={"enum": ["open", "frozen", "closed"]},
    )
    balance: int = Field(description="What is in it, held money included", examples=[12500])
    available: int = Field(
        description="What can be spent now: the balance less what is held until its deadline", examples=[10000]
    )
    held: int = Field(description="Promised to somebody, and still here", examples=[2500])
    is_home: bool = Field(description="The wallet made at registration, to which money sent to your address goes")
    opened_at: Instant


class EntryView(View):
    """Something that came into or went out of a wallet."""

    id: UUID
    transaction_id: UUID
    direction: Literal["credit", "debit"] = Field(description="credit came in, debit went out")
    amount: int = Field(description="Minor units, always above zero", examples=[12500])
    currency: str = Field(examples=["KES"])
    balance_after: int = Field(description="The balance right after it", examples=[20000])
    kind: str = Field(description="What it was for", examples=["transfer"])
    description: str | None
    reference: str | None = Field(description="What it belongs to", examples=["loan:0198f…"])
    booked_at: Instant
    effective_on: date


class BalanceView(View):
    """What was in a wallet at an instant. Minor units."""

    wallet_id: UUID
    currency: str
    at: Instant
    balance: int
    available: int
    held: int


def wallet_view(wallet: Wallet) -> WalletView:
    """What the owner sees."""
    return WalletView(
        id=wallet.id,
        name=wallet.name,
        currency=wallet.currency,
        status=wallet.status,
        balance=wallet.balance_minor,
        available=wallet.available_minor,
        held=wallet.held_minor,
        is_home=wallet.is_home,
        opened_at=wallet.opened_at,
    )


def entry_view(entry: Entry) -> EntryView:
    """One entry, as the owner of the account sees it."""
    return EntryView(
        id=entry.id,
        transaction_id=entry.transaction_id,
        direction=entry.direction,
        amount=entry.amount_minor,
        currency=entry.currency,
        balance_after=entry.balance_after_minor,
        kind=entry.kind,
        description=entry.description,
        reference=entry.reference,
        booked_at=entry.booked_at,
        effective_on=entry.effective_on,
    )


@router.get("")
async def list_wallets(context: Ctx, user: CurrentUser, paging: Paging) -> Page[WalletView]:
    """Your wallets, newest first. The first one is there from the beginning."""
    found = await wallets_of(context, user.user_id, paging.after, paging.fetch)
    if not found and paging.after is None:
        await ensure_home_wallet(context, user.user_id)
        found = await wallets_of(context, user.user_id, None, paging.fetch)
    return paging.page(found, lambda wallet: wallet.id, wallet_view)


@router.post("", status_code=201)
async def open_a_wallet(context: Ctx, user: CurrentUser, body: WalletBody) -> WalletView:
    """Open a further wallet, in any currency."""
    return wallet_view(await open_wallet(context, user.user_id, body.currency, body.name))


@router.get("/{wallet_id}")
async def get_wallet(context: Ctx, user: CurrentUser, wallet_id: UUID) -> WalletView:
    """One of your wallets."""
    return wallet_view(await wallet_of(context, user.user_id, wallet_id))


@router.delete("/{wallet_id}", status_code=204)
async def close_a_wallet(context: Ctx, user: CurrentUser, wallet_id: UUID) -> None:
    """Close one of your wallets, for good. It must be empty and nothing may count on it: 409 says what to do first.

    Its entries and statements stay. The wallet from the beginning cannot be closed.
    """
    await close_wallet(context, user.user_id, wallet_id)


@router.get("/{wallet_id}/entries")
async def list_entries(context: Ctx, user: CurrentUser, wallet_id: UUID, paging: Paging) -> Page[EntryView]:
    """What came into and went out of one of your wallets, newest first."""
    wallet = await wallet_of(context, user.user_id, wallet_id)
    found = await entries_of(context, wallet, number_before(paging), paging.fetch)
    return paging.page(found, lambda entry: cursor_of(entry.version), entry_view)


@router.get("/{wallet_id}/balance")
async def get_balance(
    context: Ctx,
    user: CurrentUser,
    wallet_id: UUID,
    at: Annotated[Instant | None, Query(description="The instant; now when it is left out")] = None,
    by: Annotated[
        By,
        Query(
            description="booked: what had been booked by then; effective: what counts by the end of that day, in UTC, whenever it"
            " was booked"
        ),
    ] = "booked",
) -> BalanceView:
    """What was in one of your wallets at an instant. Held money is as it was by booking, whichever date is asked for."""
    wallet = await wallet_of(context, user.user_id, wallet_id)
    found = await balance_at(context, wallet, at or context.clock.now(), by)
    return BalanceView(
        wallet_id=wallet.id,
        currency=wallet.currency,
        at=found.at,
        balance=found.balance_minor,
        available=found.balance_minor - found.held_minor,
        held=found.held_minor,
    )
