"""Sagas whose deadline has passed: rounds end, and what the ledger has not answered is asked again."""

import logging
from typing import Any
from uuid import UUID

from services.lending.commands.close_funding import expire_loan
from services.lending.context import Context
from services.lending.sagas.funding import FUNDING, State
from services.lending.sagas.investment import INVESTMENT
from services.lending.sagas.repayment import REPAYMENT
from services.lending.store.business_time import business_now
from services.lending.store.unit_of_work import UnitOfWork
from shared.sagas import Definition

_log = logging.getLogger(__name__)
_AT_ONCE = 100


async def sweep_sagas(context: Context) -> None:
    """Give every saga that is due its deadline, a transaction each. One that makes trouble does not hold up the others."""
    async with context.unit_of_work() as work:
        due = await _due(work)
    for definition, saga_id, loan_id in due:
        try:
            await _pass_deadline(context, definition, saga_id, loan_id)
        except Exception:
            _log.exception("this saga has to wait for the next run", extra={"saga": definition.kind, "id": str(saga_id)})


async def _due(work: UnitOfWork) -> list[tuple[Definition[Any], UUID, UUID]]:
    """What is due: the kind of saga, its id, and its loan's."""
    rounds = await work.sagas.due(FUNDING, work.now, limit=_AT_ONCE)
    holds = await work.sagas.due(INVESTMENT, work.now, limit=_AT_ONCE)
    payments = await work.sagas.due(REPAYMENT, work.now, limit=_AT_ONCE)
    return [
        *((FUNDING, saga.id, saga.id) for saga in rounds),
        *((INVESTMENT, saga.id, saga.data.loan_id) for saga in holds),
        *[(REPAYMENT, saga.id, (await work.repayments.get(saga.id)).loan_id) for saga in payments],
    ]


async def _pass_deadline(context: Context, definition: Definition[Any], saga_id: UUID, loan_id: UUID) -> None:
    """The loan's lock comes before the saga's, as everywhere."""
    async with context.unit_of_work() as work:
        await work.loans.lock(loan_id)
        saga = await work.sagas.load(definition, saga_id)
        if saga is not None and saga.state is State.OPEN:
            await expire_loan(work, loan_id, await business_now(work.business_days, work.now))
        else:
            await work.pass_deadline(definition, saga_id, aggregate_id=loan_id)
