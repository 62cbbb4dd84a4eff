"""Start a deposit: commit the intent, have the provider begin the payment, and tell where to pay.

No transaction is open while the provider is called. Whatever dies between, the same request with the same key goes on
from the intent, with the same reference, so that the provider gives the same payment. If nobody asks again the intent
expires.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.payments.commands.advance_deposit import advance_deposit
from services.payments.commands.check_order import check_provider, check_wallet
from services.payments.context import Context
from services.payments.domain.deposit import LIFETIME, Deposit, DepositStatus, deposit_reference
from services.payments.domain.problems import DepositRefused, ProviderUnavailable
from services.payments.providers import base
from services.payments.sagas.deposit import DEPOSIT, DepositData, PaymentRefused
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.deposit_events import DepositStarted
from shared.idempotency import Answer, IdempotentRequest, KeyReused, once
from shared.idempotency.store import claim
from shared.ids import new_id
from shared.problems import FieldError, InvalidRequest, Problem
from shared.problems.document import MEDIA_TYPE, problem_document


@dataclass(frozen=True)
class DepositOrder:
    """What somebody wants to bring in."""

    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    return_url: str | None


async def start_deposit(
    context: Context, order: DepositOrder, request: IdempotentRequest, view: Callable[[Deposit], dict[str, Any]]
) -> Answer:
    """The answer to a request for a deposit: 201 with `view` of it, and the address of the payment page.

    Raises `WalletNotFound`, `CurrencyMismatch`, `UnknownProvider`, `ProviderCannot`, `InvalidRequest`; `ProviderUnavailable`
    when the provider cannot be reached, after which the same key may be sent again. Money never moves here.
    """
    async with context.alone(request):
        found = await _resume(context, order, request)
        if isinstance(found, Answer):
            return found
        deposit = found or await _commit_intent(context, order, request)
        if isinstance(deposit, Answer):
            return deposit
        if deposit.status is not DepositStatus.PENDING:  # settled while the key waited to be sent again
            return await _keep(context, request, deposit.id, view)
        return await _begin_payment(context, deposit, request, view)


async def _resume(context: Context, order: DepositOrder, request: IdempotentRequest) -> Answer | Deposit | None:
    """The answer that was given before, or the intent that was committed before, or None for a new request."""
    async with context.unit_of_work() as work:
        if earlier := await claim(work.connection, request):
            return earlier
        deposit = await work.deposits.find_by_request(order.user_id, request.key)
    return _same_request(deposit, request) if deposit is not None else None


def _same_request(deposit: Deposit, request: IdempotentRequest) -> Deposit:
    """The intent, if this very request made it. Raises `KeyReused`."""
    if deposit.fingerprint != request.fingerprint:
        raise KeyReused("Use a new key for a new request.")
    return deposit


async def _commit_intent(context: Context, order: DepositOrder, request: IdempotentRequest) -> Deposit | Answer:
    try:
        await check_wallet(context, order.user_id, order.wallet_id, order.currency)
        check_provider(context, order.provider, order.currency, order.amount_minor)
        _check_return_url(context, order.return_url)
        async with context.unit_of_work() as work:
            await work.daily_limits.lock(order.user_id)
            first = await work.deposits.find_by_request(order.user_id, request.key)
            if first is None:
                limit = await work.daily_limits.find(order.user_id, "deposits", order.currency, work.now)
                limit.check(order.amount_minor)
                return await _add_intent(work, order, request)
    except Problem as problem:
        return await _refuse(context, request, problem)
    return _same_request(first, request)  # another process has it


async def _add_intent(work: PaymentsWork, order: DepositOrder, request: IdempotentRequest) -> Deposit:
    """The intent, kept and told, while nobody else counts against the person's limit."""
    deposit = _intent(work, order, request)
    await work.deposits.add(deposit)
    facts = {
        "deposit_id": deposit.id,
        "user_id": deposit.user_id,
        "wallet_id": deposit.wallet_id,
        "amount_minor": deposit.amount_minor,
        "currency": deposit.currency,
        "provider": deposit.provider,
    }
    await work.sagas.add(DEPOSIT.begin(deposit.id, DepositData.model_validate(facts), work.now))
    work.outbox.publish(DepositStarted.model_validate(facts), aggregate_id=deposit.id)
    return deposit


def _intent(work: PaymentsWork, order: DepositOrder, request: IdempotentRequest) -> Deposit:
    deposit_id = new_id()
    deposit = Deposit(
        id=deposit_id,
        user_id=order.user_id,
        wallet_id=order.wallet_id,
        amount_minor=order.amount_minor,
        currency=order.currency,
        provider=order.provider,
        reference=deposit_reference(deposit_id),
        status=DepositStatus.PENDING,
        return_url=order.return_url,
        idempotency_key=request.key,
        fingerprint=request.fingerprint,
        created_at=work.now,
        expires_at=work.now + LIFETIME,
    )
    return replace(deposit, next_sync_at=deposit.sync_again_at(work.now))


async def _begin_payment(
    context: Context, deposit: Deposit, request: IdempotentRequest, view: Callable[[Deposit], dict[str, Any]]
) -> Answer:
    payment = base.PaymentOrder(
        reference=deposit.reference,
        amount_minor=deposit.amount_minor,
        currency=deposit.currency,
        description="Deposit to your wallet",
        expires_at=deposit.expires_at,
        return_url=deposit.return_url,
    )
    answer = await context.ask(deposit.provider, lambda provider: provider.initiate(payment))
    if isinstance(answer, base.Unknown):
        async with context.unit_of_work() as work:
            await work.provider_records.add_answer(deposit.provider, "initiate", deposit.reference, answer, work.now)
        raise ProviderUnavailable(
            f"{deposit.provider} did not answer, and no money has moved. Send the same request with the same key again.",
            headers={"Retry-After": "5"},
        )

    async def record(work: PaymentsWork) -> Answer:
        await work.provider_records.add_answer(deposit.provider, "initiate", deposit.reference, answer, work.now)
        if isinstance(answer, base.Failure):
            saga = await work.sagas.load(DEPOSIT, deposit.id)
            assert saga is not None  # noqa: S101 added with the intent
            await advance_deposit(work, saga, PaymentRefused(code=answer.code, reason=answer.reason))
            problem = DepositRefused(f"{answer.reason} Start a new deposit, with another amount or provider.")
            return Answer(problem.status, problem_document(problem), media_type=MEDIA_TYPE)
        checkout = answer.value
        await work.deposits.change(
            deposit.id, provider_payment_id=checkout.provider_payment_id, checkout_url=checkout.checkout_url
        )
        return await _answer(work, deposit.id, view)

    return await once(context.unit_of_work, request, record)


async def _keep(
    context: Context, request: IdempotentRequest, deposit_id: UUID, view: Callable[[Deposit], dict[str, Any]]
) -> Answer:
    return await once(context.unit_of_work, request, lambda work: _answer(work, deposit_id, view))


async def _answer(work: PaymentsWork, deposit_id: UUID, view: Callable[[Deposit], dict[str, Any]]) -> Answer:
    deposit = await work.deposits.find(deposit_id)
    assert deposit is not None  # noqa: S101 deposits are never deleted
    return Answer(201, view(deposit))


async def _refuse(context: Context, request: IdempotentRequest, problem: Problem) -> Answer:
    """Raise `problem`, or give it as the answer that is kept for this key."""

    async def refuse(_: PaymentsWork) -> Answer:
        raise problem

    return await once(context.unit_of_work, request, refuse)


def _check_return_url(context: Context, return_url: str | None) -> None:
    """A page of somebody else's must not be reached through ours. Raises `InvalidRequest`."""
    own = context.settings.public_url
    if return_url is not None and return_url != own and not return_url.startswith(f"{own}/"):
        raise InvalidRequest(
            "The payer can only be sent back to this platform.",
            errors=[FieldError("return_url", f"must begin with {own}/")],
        )
