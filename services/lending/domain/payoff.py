"""Paying a loan off: what is owed on a day, and the payment that settles it. The quote and the posting are one function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.lending.domain.allocation import Parts
from services.lending.domain.loan_state import Charge, LoanState, Payment
from services.lending.domain.problems import NothingOwed
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms


@dataclass(frozen=True, slots=True)
class Payoff:
    """What settles the loan on `good_through`, the last day on which the amount holds.

    `parts` are all penalties and fees unpaid, interest to the day and the outstanding principal; `overdue_minor` is the
    share of it that fell due before. `closed` is the loan after the payment.
    """

    good_through: date
    parts: Parts
    overdue_minor: int
    closed: LoanState

    @property
    def total_minor(self) -> int:
        return self.parts.total_minor

    @property
    def payment(self) -> Payment:
        return self.closed.payments[-1].payment


def pay_off(terms: LoanTerms, disbursed_on: date, history: Sequence[Payment | Charge], on: date) -> Payoff:
    """Quote the payoff of a loan for a day by replaying it with that payment; raises `NothingOwed` when it is repaid.

    `history` is as for `replay`; what it has after `on` is left out, as if it had not happened yet.
    """
    known = [entry for entry in history if entry.on <= on]
    state = replay(terms, disbursed_on, known, on)
    if state.is_repaid:
        raise NothingOwed
    closed = replay(terms, disbursed_on, [*known, Payment(on, state.payoff.total_minor)], on)
    return Payoff(on, closed.payments[-1].parts, state.overdue_minor, closed)
