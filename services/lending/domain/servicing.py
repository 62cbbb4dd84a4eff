"""A loan in service: what was paid and charged is replayed from the day of disbursal, so that its state is a pure
function of its history and a payment that is backdated or reversed needs no rule of its own.

Interest is simple daily interest on the principal really outstanding. Each stretch of days with one balance within one
period is rounded once. The installments keep their size while interest varies, and the last one takes what is left.
Interest is due with the installment of its period; once that is settled early it goes to the next one. After the last
due date interest runs on, and joins the last installment when a payment comes.
"""

from collections.abc import Sequence
from datetime import date

from services.lending.domain.allocation import Parts
from services.lending.domain.book import Book
from services.lending.domain.loan_state import (
    AppliedPayment,
    Charge,
    InstallmentState,
    InstallmentStatus,
    LoanState,
    Payment,
)
from services.lending.domain.payments import apply_payment
from services.lending.domain.schedule import choose_plan
from services.lending.domain.terms import LoanTerms


def replay(terms: LoanTerms, disbursed_on: date, history: Sequence[Payment | Charge], as_of: date) -> LoanState:
    """The state of a loan at the end of `as_of`.

    `history` has payments and charges in the order in which they were recorded; they take effect in the order of their
    days, those of one day as recorded. What is later than `as_of` is left out. To reverse a payment, leave it out.

    Raises `InvalidTerms`, and `ValueError` for a charge on an installment that does not exist.
    """
    book = Book(choose_plan(terms, disbursed_on))
    applied: list[AppliedPayment] = []
    for entry in sorted((entry for entry in history if entry.on <= as_of), key=lambda entry: entry.on):
        book.advance(max(entry.on, disbursed_on))
        if isinstance(entry, Charge):
            book.charge(entry)
        else:
            applied.append(apply_payment(book, entry))
    book.advance(max(as_of, disbursed_on))
    return LoanState(
        as_of=as_of,
        installments=_installments(book, as_of),
        outstanding_principal_minor=book.balance,
        accrued_interest_minor=book.unpaid_interest(),
        interest_since_maturity_minor=book.open_interest() if book.has_matured else 0,
        payments=tuple(applied),
    )


def _installments(book: Book, as_of: date) -> tuple[InstallmentState, ...]:
    outstanding = book.plan.terms.principal_minor
    states = []
    for line, (interest, principal) in zip(book.lines, book.projection(), strict=True):
        outstanding -= principal
        due = Parts(line.penalty, line.fee, interest, principal)
        paid = due == line.paid and (due.total_minor > 0 or line.due_on <= as_of or book.balance == 0)
        states.append(
            InstallmentState(
                number=line.index + 1,
                due_on=line.due_on,
                due=due,
                paid=line.paid,
                outstanding_minor=outstanding,
                status=InstallmentStatus.PAID if paid else _unpaid_status(line.due_on, line.paid, due, as_of),
                paid_on=line.last_paid_on if paid else None,
            )
        )
    return tuple(states)


def _unpaid_status(due_on: date, paid: Parts, due: Parts, as_of: date) -> InstallmentStatus:
    if due_on < as_of:
        return InstallmentStatus.OVERDUE
    if due_on == as_of:
        return InstallmentStatus.DUE
    return InstallmentStatus.PARTIAL if paid.total_minor else InstallmentStatus.UPCOMING
