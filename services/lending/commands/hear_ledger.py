"""Answers of the ledger to what lending asked of it, each to the use case that waits for it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from services.lending.commands.settle_funding import settle_funding
from services.lending.commands.settle_investment import settle_investment
from services.lending.commands.settle_repayment import settle_repayment
from services.lending.context import Context
from services.lending.sagas.awaiting import LedgerAnswer
from services.lending.store.unit_of_work import UnitOfWork
from shared.messaging.consumer import Delivery

_WAITING: dict[str, Callable[[UnitOfWork, UUID, LedgerAnswer], Awaitable[None]]] = {
    "investment": settle_investment,
    "loan": settle_funding,
    "repayment": settle_repayment,
}


async def hear_ledger(context: Context, delivery: Delivery[LedgerAnswer]) -> None:
    """Settle what the answer is about. Answers to other services, and to operators, are not for lending."""
    answer = delivery.message
    if answer.requested_by != "lending" or not answer.reference:
        return
    noun, _, number = answer.reference.partition(":")
    settle = _WAITING.get(noun)
    if settle is None:
        return
    async with context.unit_of_work(delivery) as work:
        await settle(work, UUID(number), answer)
