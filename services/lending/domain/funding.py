"""How much of an investment a loan still takes."""

from services.lending.domain.problems import FundingGoalExceeded, InvestmentTooSmall


def accepted_amount(requested_minor: int, remaining_minor: int, minimum_minor: int, *, may_cut: bool) -> int:
    """The part of a requested investment that a loan takes; `remaining_minor` is what nobody has pledged yet.

    Never above the goal: a larger request is cut down to what remains if the lender allows it. The last part of a loan
    may be below the minimum, as nothing else could complete it.

    Raises `FundingGoalExceeded` or `InvestmentTooSmall`.
    """
    if remaining_minor <= 0:
        raise FundingGoalExceeded("The loan needs no more money.")
    if requested_minor > remaining_minor and not may_cut:
        raise FundingGoalExceeded(f"The loan still needs {remaining_minor}, in minor units.")
    accepted = min(requested_minor, remaining_minor)
    if accepted < min(minimum_minor, remaining_minor):
        raise InvestmentTooSmall(f"Invest at least {min(minimum_minor, remaining_minor)}, in minor units.")
    return accepted
