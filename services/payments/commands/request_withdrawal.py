"""Ask for money to be paid out: the order is kept, and the ledger asked to hold the money."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.payments.commands.add_payout_destination import find_saved, open_saved
from services.payments.commands.check_order import check_destination, check_provider, check_wallet
from services.payments.context import Context
from services.payments.domain.payout_destination import PayoutDestination
from services.payments.domain.problems import DestinationNotSaved, PayoutDestinationNotFound
from services.payments.domain.withdrawal import Withdrawal, WithdrawalStatus, withdrawal_reference
from services.payments.providers.base import Provider
from services.payments.sagas.withdrawal import WITHDRAWAL, WithdrawalData, hold_money
from services.payments.store.payout_destinations import PayoutDestinations
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.withdrawal_events import WithdrawalRequested
from shared.idempotency import Answer, IdempotentRequest, once
from shared.idempotency.store import claim
from shared.ids import new_id
from shared.problems import FieldError, InvalidRequest, Problem


@dataclass(frozen=True)
class WithdrawalOrder:
    """What somebody wants paid out, and where to: a `destination` of `provider`, or a saved one."""

    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str | None
    destination: Mapping[str, str] | None
    destination_id: UUID | None


@dataclass(frozen=True)
class _Target:
    """Where the money goes; `saved_id` if that place is saved."""

    provider: Provider
    destination: Mapping[str, str]
    saved_id: UUID | None


def destination_place(withdrawal_id: UUID) -> str:
    """Where a sealed destination belongs; it opens nowhere else."""
    return f"withdrawals.destination:{withdrawal_id}"


async def request_withdrawal(
    context: Context, order: WithdrawalOrder, request: IdempotentRequest, view: Callable[[Withdrawal], dict[str, Any]]
) -> Answer:
    """The answer to a request for a withdrawal: 202 with `view` of it.

    Whether there is enough money is for the ledger to say; too little makes it `failed`, with code
    `insufficient_funds`. Raises `WalletNotFound`, `CurrencyMismatch`, `UnknownProvider`, `ProviderCannot`,
    `DestinationRefused`, `PayoutDestinationNotFound`, `DestinationCoolingOff`, `DestinationNotSaved`, `DailyLimitExceeded`.
    """
    async with context.unit_of_work() as work:
        if earlier := await claim(work.connection, request):
            return earlier
    refusal: Problem | None = None
    try:
        await check_wallet(context, order.user_id, order.wallet_id, order.currency)
        target = await _where_to(context, order)
        check_provider(context, target.provider.capabilities.name, order.currency, order.amount_minor)
    except Problem as problem:
        refusal = problem

    async def keep_order(work: PaymentsWork) -> Answer:
        if refusal is not None:
            raise refusal
        await work.daily_limits.lock(order.user_id)
        limit = await work.daily_limits.find(order.user_id, "withdrawals", order.currency, work.now)
        limit.check(order.amount_minor)
        withdrawal = _withdrawal(context, work, order, target)
        await work.withdrawals.add(withdrawal)
        await _begin(work, withdrawal)
        return Answer(202, view(withdrawal))

    return await once(context.unit_of_work, request, keep_order)


async def _where_to(context: Context, order: WithdrawalOrder) -> _Target:
    """A saved destination, once its time has come; another only where nothing needs to be saved: see ADR 0026."""
    if order.destination_id is not None:
        saved = await _saved(context, order, order.destination_id)
        provider, destination = check_destination(context, saved.provider, open_saved(context.vault, saved))
        return _Target(provider, destination, saved.id)
    assert order.provider is not None  # noqa: S101 given with a destination
    provider, destination = check_destination(context, order.provider, order.destination or {})
    async with context.read() as connection:
        known = await find_saved(context, PayoutDestinations(connection), order.user_id, order.provider, destination)
    if known is not None:
        known.check_usable(context.clock.now())
    elif context.settings.payout_cooling_off:
        raise DestinationNotSaved(
            "Here money is paid to saved destinations only. Save it with POST /v1/payout-destinations; the answer says from "
            "when on it can be used. Then order the withdrawal again, with a new Idempotency-Key."
        )
    return _Target(provider, destination, known.id if known is not None else None)


async def _saved(context: Context, order: WithdrawalOrder, destination_id: UUID) -> PayoutDestination:
    async with context.read() as connection:
        saved = await PayoutDestinations(connection).find_for(order.user_id, destination_id)
    if saved is None:
        raise PayoutDestinationNotFound("Use the id of one of your destinations: GET /v1/payout-destinations lists them.")
    if order.provider not in (None, saved.provider):
        raise InvalidRequest(
            "The destination belongs to another provider.",
            errors=[FieldError("provider", f"leave it out, or say {saved.provider}")],
        )
    saved.check_usable(context.clock.now())
    return saved


def _withdrawal(context: Context, work: PaymentsWork, order: WithdrawalOrder, target: _Target) -> Withdrawal:
    withdrawal_id = new_id()
    return Withdrawal(
        id=withdrawal_id,
        user_id=order.user_id,
        wallet_id=order.wallet_id,
        amount_minor=order.amount_minor,
        currency=order.currency,
        provider=target.provider.capabilities.name,
        destination_encrypted=context.vault.encrypt_text(json.dumps(target.destination), aad=destination_place(withdrawal_id)),
        destination_masked=dict(target.provider.mask_destination(target.destination)),
        payout_destination_id=target.saved_id,
        reference=withdrawal_reference(withdrawal_id),
        status=WithdrawalStatus.PENDING,
        created_at=work.now,
    )


async def _begin(work: PaymentsWork, withdrawal: Withdrawal) -> None:
    facts = {
        "withdrawal_id": withdrawal.id,
        "user_id": withdrawal.user_id,
        "wallet_id": withdrawal.wallet_id,
        "amount_minor": withdrawal.amount_minor,
        "currency": withdrawal.currency,
        "provider": withdrawal.provider,
    }
    data = WithdrawalData.model_validate(facts)
    await work.sagas.add(WITHDRAWAL.begin(withdrawal.id, data, work.now))
    work.outbox.publish(WithdrawalRequested.model_validate(facts), aggregate_id=withdrawal.id)
    for command in hold_money(data):
        work.outbox.add(command, aggregate_id=withdrawal.id)
