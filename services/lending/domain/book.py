"""The running account of one loan during a replay: mutable inside, never seen outside it.

A line is one installment. It is *open* until its due date, or until it is settled before that; then its interest and
principal are final and it is *closed*.
"""

from copy import copy
from dataclasses import dataclass
from datetime import date

from services.lending.domain.allocation import Parts
from services.lending.domain.loan_state import Charge, ChargeKind
from services.lending.domain.plan import Plan
from services.lending.domain.targets import Target


@dataclass(slots=True)
class Line:
    """`accrued` is the interest of finished stretches of days that is due with this installment; on a closed line it is
    the interest due. `principal` is the principal due, None as long as the line is open.
    """

    index: int
    due_on: date
    target: Target
    accrued: int = 0
    penalty: int = 0
    fee: int = 0
    paid: Parts = Parts()
    principal: int | None = None
    last_paid_on: date | None = None

    @property
    def is_open(self) -> bool:
        return self.principal is None

    @property
    def prepaid(self) -> int:
        return self.paid.principal_minor

    def unpaid(self, interest: int, principal: int) -> Parts:
        """What is left to pay of the charges and of the given interest and principal."""
        return Parts(self.penalty, self.fee, interest, principal) - self.paid


class Book:
    """The lines of a loan, the principal really outstanding (`balance`) and the day reached (`today`).

    `unassigned` is the principal that is neither part of a final line nor paid in advance on an open one.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lines = [
            Line(index, period.ends_on, target)
            for index, (period, target) in enumerate(zip(plan.periods, plan.targets, strict=True))
        ]
        self.balance = plan.terms.principal_minor
        self.unassigned = plan.terms.principal_minor
        self.current = 0
        self.today = plan.periods[0].starts_on
        self._stretch_starts_on = self.today

    def copy(self) -> "Book":
        """An independent book in the same state."""
        twin = copy(self)
        twin.lines = [copy(line) for line in self.lines]
        return twin

    def advance(self, to: date) -> None:
        """Let the days pass up to `to`; lines whose due date is reached become final."""
        while self.current < len(self.lines) and self.lines[self.current].due_on <= to:
            self.today = self.lines[self.current].due_on
            self.end_stretch()
            self._close_at_due_date(self.lines[self.current])
            self.current += 1
        self.today = max(self.today, to)

    @property
    def has_matured(self) -> bool:
        """Whether the last due date has come."""
        return self.current == len(self.lines)

    def charge(self, charge: Charge) -> None:
        """Add a fee or a penalty to a line; raises `ValueError` when there is no such installment."""
        if not 1 <= charge.number <= len(self.lines):
            raise ValueError(f"the loan has no installment {charge.number}")
        line = self.lines[charge.number - 1]
        if charge.kind is ChargeKind.PENALTY:
            line.penalty += charge.amount_minor
        else:
            line.fee += charge.amount_minor

    def accruing(self) -> Line | None:
        """The line that today's interest is due with: the first open one past the grace on interest, at last the last."""
        if self.has_matured:
            return self.lines[-1]
        first = max(self.current, self.plan.terms.interest_grace)
        return next((line for line in self.lines[first:] if line.is_open), None)

    def open_interest(self) -> int:
        """Interest of the stretch of days that is not finished, up to today."""
        if self.balance == 0 or self._stretch_starts_on == self.today:
            return 0
        if self.has_matured:
            return self.plan.interest_after_maturity_minor(self.balance, self._stretch_starts_on, self.today)
        return self.plan.interest_minor(self.current, self.balance, self._stretch_starts_on, self.today)

    def end_stretch(self) -> None:
        """Round the interest up to today and give it to its line. Needed before the balance or that line changes."""
        interest = self.open_interest()
        line = self.accruing()
        if line is not None:
            line.accrued += interest
        self._stretch_starts_on = self.today

    def accrued(self, line: Line) -> int:
        """The interest that a line has gathered up to today, paid or not."""
        return line.accrued + (self.open_interest() if line is self.accruing() else 0)

    def unpaid_interest(self) -> int:
        """Interest up to today, of all lines, that is not paid."""
        return sum(self.accrued(line) - line.paid.interest_minor for line in self.lines)

    def pay(self, line: Line, parts: Parts) -> None:
        """Book what a payment settles of a line."""
        if parts.total_minor == 0:
            return
        if parts.principal_minor:
            self.end_stretch()
            self.balance -= parts.principal_minor
            self.unassigned -= parts.principal_minor if line.is_open else 0
        line.paid += parts
        line.last_paid_on = self.today

    def settle_early(self, line: Line) -> None:
        """Close a line before its due date with what is paid of it; interest left over goes to the next open line."""
        self.end_stretch()
        self._close(line, line.paid.interest_minor, line.prepaid)

    def projection(self) -> list[tuple[int, int]]:
        """(interest, principal) of every line if what is due is paid today and the rest on its due dates."""
        future = self.copy()
        overdue = sum(line.principal - line.prepaid for line in future.lines if line.principal is not None)
        if overdue and not future.has_matured:
            future.end_stretch()
            future.balance -= overdue
        while not future.has_matured:
            line = future.lines[future.current]
            was_open = line.is_open
            future.advance(line.due_on)
            if was_open:
                future.balance -= (line.principal or 0) - line.prepaid
        return [(line.accrued, line.principal or 0) for line in future.lines]

    def _close_at_due_date(self, line: Line) -> None:
        if not line.is_open:
            return
        most = line.prepaid + self.unassigned
        if line.index == self.plan.last:
            self._close(line, line.accrued, most)
            return
        payable = 0 if line.index < self.plan.terms.interest_grace else line.accrued
        interest, principal = line.target.split(payable, line.prepaid)
        self._close(line, max(interest, line.paid.interest_minor), min(principal, most))

    def _close(self, line: Line, interest: int, principal: int) -> None:
        carried = line.accrued - interest
        line.accrued, line.principal = interest, principal
        self.unassigned -= principal - line.prepaid
        heir = self.lines[line.index + 1] if line.index < self.plan.last else None
        while heir is not None and not heir.is_open:
            heir = self.lines[heir.index + 1] if heir.index < self.plan.last else None
        if carried and heir is not None:
            heir.accrued += carried
