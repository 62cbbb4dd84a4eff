"""Close of business: everything that a business date brings, once, in order, wherever it was interrupted.

A date is worked through in batches of loans, a transaction each, which also notes how far it has come. Started again,
or by several at once, it goes on from there. The same code runs daily and in a simulation.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from services.lending.commands.close_funding import expire_loan
from services.lending.context import Context
from services.lending.domain.late import bucket, late_fees
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.loan_state import Charge, InstallmentState, LoanState, Payment, latest_day
from services.lending.domain.problems import BusinessDateInFuture
from services.lending.domain.product import seed_product
from services.lending.domain.servicing import replay
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.repayment_events import InstallmentDue, InstallmentOverdue, LateFeeCharged
from shared.identity.principal import Principal

BATCH = 200


@dataclass(frozen=True)
class ClosedDay:
    """A date that this run closed, and what happened on it."""

    business_date: date
    counts: dict[str, int]


async def close_business(context: Context, up_to: date, principal: Principal | None = None) -> list[ClosedDay]:
    """Close every date that is not closed yet, up to `up_to`; the dates that this run closed. `principal` asked for it.

    Raises `BusinessDateInFuture` for a date later than today, unless the platform simulates.
    """
    if up_to > context.clock.now().date() and not context.settings.simulation:
        raise BusinessDateInFuture("Choose today or an earlier date. Later ones need LENDERY_SIMULATION=1.")
    closed: list[ClosedDay] = []
    while day := await _next_day(context, up_to):
        counts = await _close_batch(context, day, principal)
        if counts is not None:
            closed.append(ClosedDay(day, counts))
    return closed


async def close_past_days(context: Context) -> None:
    """The daily run: close every date before today."""
    await close_business(context, context.clock.now().date() - timedelta(days=1))


async def _next_day(context: Context, up_to: date) -> date | None:
    async with context.unit_of_work() as work:
        last = await work.business_days.last_closed()
        if last is None:
            first = await work.loans.first_submitted_at()
            day = min(first.date(), up_to) if first else up_to
        else:
            day = last + timedelta(days=1)
    return day if day <= up_to else None


async def _close_batch(context: Context, day: date, principal: Principal | None) -> dict[str, int] | None:
    """Work through the next loans of `day`; its counts once that closed the day, None while there is more to do."""
    async with context.unit_of_work() as work:
        progress = await work.business_days.open(day, work.now)
        if progress.closed:
            return None
        counts = Counter(progress.counts)
        loan_ids = await work.loans.due_by(day, progress.last_loan_id, BATCH)
        for loan_id in loan_ids:
            counts += await _close_loan(work, loan_id, day)
        finished = len(loan_ids) < BATCH and await _expire_rounds(work, day, counts)
        last_loan_id = loan_ids[-1] if loan_ids else progress.last_loan_id
        await work.business_days.save_progress(progress, last_loan_id, dict(+counts))
        if not finished:
            return None
        await work.business_days.close(day, work.now)
        work.publish_action("business_day.closed", actor=principal, subject_id=day.isoformat(), after=dict(+counts))
    return dict(+counts)


async def _expire_rounds(work: UnitOfWork, day: date, counts: Counter[str]) -> bool:
    """End the next rounds that are over by the end of `day`, or by now when it is today; whether those were the last."""
    at = _end_of(day) if day > work.now.date() else min(work.now, _end_of(day))
    ended = await work.loans.rounds_ended_by(at, BATCH)
    for loan_id in ended:
        counts["rounds_expired"] += await expire_loan(work, loan_id, at)
    return len(ended) < BATCH


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


async def _close_loan(work: UnitOfWork, loan_id: UUID, day: date) -> Counter[str]:
    loan = await work.loans.lock(loan_id)
    if loan.status is not LoanStatus.ACTIVE or loan.disbursed_on is None:
        return Counter()
    history = await work.repayments.history(loan.id, loan.surplus, with_posting=True)
    at_close = replay(loan.terms, loan.disbursed_on, history, day)
    due = [installment for installment in at_close.installments if installment.due_on == day and installment.unpaid_minor]
    charges = await _late_fees(work, loan, at_close, history)
    for charge in charges:
        await work.repayments.add_late_fee(loan.id, charge)
        await work.loans.note(
            loan.id, "late_fee", day, work.now, installment=charge.number, amount=charge.amount_minor, currency=loan.currency
        )
        work.outbox.publish(
            LateFeeCharged(
                loan_id=loan.id,
                borrower_id=loan.borrower_id,
                number=charge.number,
                fee_minor=charge.amount_minor,
                currency=loan.currency,
                charged_on=charge.charged_on,
            ),
            aggregate_id=loan.id,
        )
    state = replay(loan.terms, loan.disbursed_on, [*history, *charges], latest_day(history, day))
    standing = loan.with_standing(state)
    await work.loans.save(standing)
    for installment in due:
        work.outbox.publish(_due(loan, installment), aggregate_id=loan.id)
    deeper = standing.bucket > loan.bucket
    if deeper:
        await work.loans.note(loan.id, "overdue", day, work.now, days_past_due=state.days_past_due)
        work.outbox.publish(_overdue(loan, state), aggregate_id=loan.id)
    return Counter(loans=1, installments_due=len(due), late_fees=len(charges), went_overdue=int(deeper))


async def _late_fees(work: UnitOfWork, loan: Loan, at_close: LoanState, history: Sequence[Payment | Charge]) -> list[Charge]:
    """What was late at the close of the day is charged for, behind the payments that came since; none once all is paid."""
    assert loan.disbursed_on is not None  # noqa: S101 it is active
    latest = latest_day(history, at_close.as_of)
    if replay(loan.terms, loan.disbursed_on, history, latest).is_repaid:
        return []
    charged = await work.repayments.charged_installments(loan.id)
    fees = late_fees(at_close, charged, seed_product(loan.currency).late)
    return [replace(fee, charged_on=latest) for fee in fees]


def _due(loan: Loan, installment: InstallmentState) -> InstallmentDue:
    return InstallmentDue(
        loan_id=loan.id,
        borrower_id=loan.borrower_id,
        number=installment.number,
        due_on=installment.due_on,
        outstanding_minor=installment.unpaid_minor,
        currency=loan.currency,
    )


def _overdue(loan: Loan, state: LoanState) -> InstallmentOverdue:
    oldest = state.next_due
    assert oldest is not None  # noqa: S101 something is overdue
    return InstallmentOverdue(
        loan_id=loan.id,
        borrower_id=loan.borrower_id,
        number=oldest.number,
        due_on=oldest.due_on,
        days_past_due=state.days_past_due,
        bucket=bucket(state.days_past_due),
        overdue_minor=state.overdue_minor,
        currency=loan.currency,
    )
