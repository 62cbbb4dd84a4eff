"""What lending says no to."""

from shared.problems import InvalidRequest, NotFound, Problem


class InvalidTerms(InvalidRequest):
    """The terms of a loan contradict themselves or pass a limit; `errors` names the fields."""


class AmountOutsideLimits(Problem):
    """The product lends less, or more, than that."""

    status = 422
    code = "amount_outside_limits"
    title = "The amount is outside the limits of the loan product"


class TermOutsideLimits(Problem):
    """The product is not offered for that number of months."""

    status = 422
    code = "term_outside_limits"
    title = "The term is outside the limits of the loan product"


class NoProduct(Problem):
    """No loans are made in this currency."""

    status = 422
    code = "no_loan_product"
    title = "No loans are made in that currency"


class MethodNotOffered(Problem):
    """The product does not offer this way of repaying."""

    status = 422
    code = "method_not_offered"
    title = "The loan product does not offer that"


class CurrencyMismatch(Problem):
    """The wallet is not in the currency of the loan."""

    status = 422
    code = "currency_mismatch"
    title = "The wallet has another currency"


class KycRequired(Problem):
    """Borrowing needs an approved identity check."""

    status = 403
    code = "kyc_required"
    title = "Verify your identity first"


class AssessmentRequired(Problem):
    """There is no valid credit assessment and nothing to make one from."""

    status = 422
    code = "credit_assessment_required"
    title = "Tell us about your finances first"


class LoanNotFound(NotFound):
    """There is no such loan, or it is not the caller's."""

    code = "loan_not_found"
    title = "There is no such loan"


class InvestmentNotFound(NotFound):
    """There is no such investment, or it is not the caller's."""

    code = "investment_not_found"
    title = "There is no such investment"


class WrongLoanStatus(Problem):
    """The loan is not in a state in which this can be done."""

    status = 409
    code = "wrong_loan_status"
    title = "The loan is past that, or not there yet"


class WrongInvestmentStatus(Problem):
    """The investment is not in a state in which this can be done."""

    status = 409
    code = "wrong_investment_status"
    title = "The investment is past that, or not there yet"


class FundingClosed(Problem):
    """The loan does not take investments now."""

    status = 409
    code = "funding_closed"
    title = "The loan is not open for investments"


class FundingGoalExceeded(Problem):
    """The investment is larger than what the loan still needs."""

    status = 409
    code = "funding_goal_exceeded"
    title = "The loan needs less than that"


class InvestmentTooSmall(Problem):
    """The investment is below the minimum of the product."""

    status = 422
    code = "investment_too_small"
    title = "The investment is below the minimum"


class OwnLoan(Problem):
    """Nobody lends to themselves."""

    status = 409
    code = "own_loan"
    title = "You cannot invest in your own loan"


class RepaymentTooLarge(Problem):
    """The payment is larger than everything that is owed."""

    status = 422
    code = "repayment_too_large"
    title = "That is more than what is owed"


class NothingOwed(Problem):
    """There is nothing to pay."""

    status = 409
    code = "nothing_owed"
    title = "Nothing is owed on this loan"


class WalletNotFound(NotFound):
    """There is no such wallet, or it is not the caller's."""

    code = "wallet_not_found"
    title = "There is no such wallet"


class BusinessDateInFuture(Problem):
    """Business dates later than today exist only in a simulation."""

    status = 422
    code = "business_date_in_future"
    title = "That date is still to come"


class AssessmentNotFound(NotFound):
    """There is no assessment, or it has expired."""

    code = "credit_assessment_not_found"
    title = "There is no current credit assessment"
