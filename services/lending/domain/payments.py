"""Applying a payment to a loan: what is due first, oldest first; then the surplus as the borrower chose."""

from services.lending.domain.allocation import Allocation, Parts, allocate, settle
from services.lending.domain.book import Book, Line
from services.lending.domain.loan_state import AppliedPayment, Payment, Surplus
from services.lending.domain.plan import make_targets
from services.lending.domain.targets import EqualShare, EqualTotal
from shared.money import exact, split_by_largest_remainder


def apply_payment(book: Book, payment: Payment) -> AppliedPayment:
    """Book a payment on the day that the book has reached."""
    if book.has_matured:
        book.end_stretch()
    before = [line.paid for line in book.lines]
    left = _pay_what_is_due(book, payment.amount_minor)
    if left and payment.surplus is not Surplus.NEXT_INSTALLMENT:
        left = _prepay_principal(book, left, payment.surplus)
    if left:
        left = _pay_in_advance(book, left)
    return AppliedPayment(payment, tuple(_changes(book, before)), left)


def _changes(book: Book, before: list[Parts]) -> list[Allocation]:
    changes = zip(book.lines, before, strict=True)
    return [Allocation(line.index + 1, line.paid - paid) for line, paid in changes if line.paid != paid]


def _pay_what_is_due(book: Book, amount: int) -> int:
    dues = [(line.index, line.unpaid(line.accrued, line.principal)) for line in book.lines if line.principal is not None]
    allocations, left = allocate(amount, dues)
    for allocation in allocations:
        book.pay(book.lines[allocation.number], allocation.parts)
    return left


def _pay_in_advance(book: Book, amount: int) -> int:
    """Pay the coming installments in their order: interest accrued to the day, the rest of each one's size principal.

    An installment that is paid in full is settled: its interest stays what had accrued, its principal is the rest.
    """
    totals = [interest + principal for interest, principal in book.projection()]
    for line in book.lines[book.current :]:
        if amount == 0:
            break
        if not line.is_open:
            continue
        is_last = line.index == book.plan.last
        interest = book.accrued(line) - line.paid.interest_minor
        room = totals[line.index] - line.paid.interest_minor - line.prepaid
        if not is_last:
            interest = min(interest, room)
        charges = line.unpaid(line.paid.interest_minor, line.prepaid)
        parts = settle(amount, Parts(charges.penalty_minor, charges.fee_minor, interest))
        amount -= parts.total_minor
        size_left = book.unassigned if is_last else min(book.unassigned, room - parts.interest_minor)
        principal = min(amount, size_left)
        amount -= principal
        book.pay(line, parts + Parts(principal_minor=principal))
        if principal == size_left and parts.interest_minor == interest:
            book.settle_early(line)
        else:
            line.target = EqualTotal(totals[line.index])
    return amount


def _prepay_principal(book: Book, amount: int, surplus: Surplus) -> int:
    """Pay the interest accrued to the day, then principal of installments to come; returns what is left."""
    line = book.accruing()
    if line is not None and line.index == book.current:
        interest = min(amount, book.accrued(line) - line.paid.interest_minor)
        book.pay(line, Parts(interest_minor=interest))
        amount -= interest
    prepaid = min(amount, book.unassigned)
    open_lines = [line for line in book.lines[book.current :] if line.is_open]
    projection = book.projection()
    unpaid = [projection[line.index][1] - line.prepaid for line in open_lines]
    spread = _from_the_last if surplus is Surplus.SHORTEN else split_by_largest_remainder
    for line, part in zip(open_lines, spread(prepaid, unpaid), strict=True):
        book.pay(line, Parts(principal_minor=part))
    if surplus is Surplus.LOWER and prepaid:
        _lower_targets(book, open_lines)
    return amount - prepaid


def _from_the_last(amount: int, capacities: list[int]) -> list[int]:
    parts = []
    for capacity in reversed(capacities):
        parts.append(min(amount, capacity))
        amount -= parts[-1]
    return parts[::-1]


def _lower_targets(book: Book, open_lines: list[Line]) -> None:
    """Give the coming installments, past the grace on principal, the size that pays off what is left."""
    terms, balance = book.plan.terms, book.unassigned
    lines = [line for line in open_lines if line.index >= terms.principal_grace]
    if not lines or balance == 0:
        return
    fractions = [book.plan.periods[line.index].year_fraction for line in lines]
    if lines[0].index == book.current:
        fractions[0] = book.plan.periods[book.current].part(book.today, lines[0].due_on)
    for line, target in zip(lines, make_targets(terms, balance, fractions), strict=True):
        if isinstance(target, EqualTotal):
            line.target = EqualTotal(target.total_minor + line.prepaid + line.paid.interest_minor)
        else:
            with exact():
                share = target.share + line.prepaid
            line.target = EqualShare(share, target.multiple_minor, target.rounding)
