"""Ask for money to be paid out: the order is kept, and the ledger asked to hold the money."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.payments.commands.check_order import check_provider, check_wallet
from services.payments.context import Context
from services.payments.domain.problems import ProviderCannot
from services.payments.domain.withdrawal import Withdrawal, WithdrawalStatus, withdrawal_reference
from services.payments.providers.base import Provider
from services.payments.sagas.withdrawal import WITHDRAWAL, WithdrawalData, hold_money
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.withdrawal_events import WithdrawalRequested
from shared.idempotency import Answer, IdempotentRequest, once
from shared.idempotency.store import claim
from shared.ids import new_id
from shared.problems import Problem


@dataclass(frozen=True)
class WithdrawalOrder:
    """What somebody wants paid out, and where to."""

    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    destination: Mapping[str, str]


def destination_place(withdrawal_id: UUID) -> str:
    """Where a sealed destination belongs; it opens nowhere else."""
    return f"withdrawals.destination:{withdrawal_id}"


async def request_withdrawal(
    context: Context, order: WithdrawalOrder, request: IdempotentRequest, view: Callable[[Withdrawal], dict[str, Any]]
) -> Answer:
    """The answer to a request for a withdrawal: 202 with `view` of it.

    Whether there is enough money is for the ledger to say; too little makes it `failed`, with code
    `insufficient_funds`. Raises `WalletNotFound`, `CurrencyMismatch`, `UnknownProvider`, `ProviderCannot`,
    `DestinationRefused`, `DailyLimitExceeded`.
    """
    async with context.unit_of_work() as work:
        if earlier := await claim(work.connection, request):
            return earlier
    refusal: Problem | None = None
    try:
        await check_wallet(context, order.user_id, order.wallet_id, order.currency)
        provider = check_provider(context, order.provider, order.currency, order.amount_minor)
        destination = _checked_destination(provider, order)
    except Problem as problem:
        refusal = problem

    async def keep_order(work: PaymentsWork) -> Answer:
        if refusal is not None:
            raise refusal
        await work.daily_limits.lock(order.user_id)
        limit = await work.daily_limits.find(order.user_id, "withdrawals", order.currency, work.now)
        limit.check(order.amount_minor)
        withdrawal = _withdrawal(context, work, order, provider, destination)
        await work.withdrawals.add(withdrawal)
        await _begin(work, withdrawal)
        return Answer(202, view(withdrawal))

    return await once(context.unit_of_work, request, keep_order)


def _checked_destination(provider: Provider, order: WithdrawalOrder) -> Mapping[str, str]:
    if not provider.capabilities.supports_payout:
        raise ProviderCannot(f"{order.provider} does not pay out. GET /v1/payment-providers says which do.")
    return provider.check_destination(order.destination)


def _withdrawal(
    context: Context, work: PaymentsWork, order: WithdrawalOrder, provider: Provider, destination: Mapping[str, str]
) -> Withdrawal:
    withdrawal_id = new_id()
    return Withdrawal(
        id=withdrawal_id,
        user_id=order.user_id,
        wallet_id=order.wallet_id,
        amount_minor=order.amount_minor,
        currency=order.currency,
        provider=order.provider,
        destination_encrypted=context.vault.encrypt_text(json.dumps(destination), aad=destination_place(withdrawal_id)),
        destination_masked=dict(provider.mask_destination(destination)),
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
