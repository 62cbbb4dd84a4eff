"""What payments refuses, and why."""

from shared.problems import NotFound, Problem, ServiceUnavailable


class WalletNotFound(NotFound):
    """There is no such wallet, or it is somebody else's."""

    code = "wallet_not_found"
    title = "There is no such wallet"


class DepositNotFound(NotFound):
    """There is no such deposit, or it is somebody else's."""

    code = "deposit_not_found"
    title = "There is no such deposit"


class WithdrawalNotFound(NotFound):
    """There is no such withdrawal, or it is somebody else's."""

    code = "withdrawal_not_found"
    title = "There is no such withdrawal"


class ProviderNotFound(NotFound):
    """No provider of this name sends us webhooks."""

    code = "provider_not_found"
    title = "There is no such payment provider"


class CurrencyMismatch(Problem):
    """The wallet is kept in another currency."""

    status = 422
    code = "currency_mismatch"
    title = "The wallet has another currency"


class UnknownProvider(Problem):
    """There is no payment provider of this name."""

    status = 422
    code = "unknown_provider"
    title = "There is no such payment provider"


class ProviderCannot(Problem):
    """The provider does not move this currency or amount, or does not pay out."""

    status = 422
    code = "provider_cannot"
    title = "The payment provider does not do this"


class DepositRefused(Problem):
    """The provider said no to beginning the payment."""

    status = 422
    code = "deposit_refused"
    title = "The payment provider refused the deposit"


class ProviderUnavailable(ServiceUnavailable):
    """The provider cannot be reached, or did not answer in time."""

    code = "provider_unavailable"
    title = "The payment provider cannot be reached right now"


class WithdrawalNotCancellable(Problem):
    """It is too late: the provider has been asked to pay, or the withdrawal is over."""

    status = 409
    code = "withdrawal_not_cancellable"
    title = "The withdrawal can no longer be cancelled"


class PayoutDestinationNotFound(NotFound):
    """There is no such saved destination, or it is somebody else's."""

    code = "payout_destination_not_found"
    title = "There is no such payout destination"


class DestinationCoolingOff(Problem):
    """The destination was saved a short time ago, and its owner is given time to notice."""

    status = 409
    code = "destination_cooling_off"
    title = "The destination is too new to be paid to"


class DestinationNotSaved(Problem):
    """Here money is paid to saved destinations only."""

    status = 409
    code = "destination_not_saved"
    title = "Save the destination first"


class TooManyDestinations(Problem):
    """More destinations than anybody needs."""

    status = 409
    code = "too_many_destinations"
    title = "You have saved as many destinations as you can"


class WithdrawalSettled(Problem):
    """There is nothing left to be done for it."""

    status = 409
    code = "withdrawal_settled"
    title = "The withdrawal is over"


class WalletClosed(Problem):
    """The wallet is closed: nothing moves any more."""

    status = 409
    code = "wallet_closed"
    title = "The wallet is closed"


class DayNotClosed(Problem):
    """Only a day that has ended (UTC) can be reconciled for good."""

    status = 409
    code = "day_not_closed"
    title = "The day is not over"


class ReconciliationRunning(Problem):
    """This day is being compared with this provider already."""

    status = 409
    code = "reconciliation_running"
    title = "A reconciliation is running right now"


class NoSettlementReports(Problem):
    """The provider does not report what it settled."""

    status = 422
    code = "no_settlement_reports"
    title = "The provider gives no settlement reports"


class SettlementFileRefused(Problem):
    """Lines of the file cannot be read: `errors` names them. Nothing of it was taken."""

    status = 422
    code = "settlement_file_refused"
    title = "The settlement file cannot be read"


class SettlementFileTooLarge(Problem):
    """More bytes or rows than one file may have."""

    status = 413
    code = "settlement_file_too_large"
    title = "The settlement file is too large"


class ReconciliationNotFound(NotFound):
    """There is no such reconciliation."""

    code = "reconciliation_not_found"
    title = "There is no such reconciliation"


class DailyLimitExceeded(Problem):
    """More than somebody whose identity is known as well as theirs may pay in or out in one day."""

    status = 409
    code = "daily_limit_exceeded"
    title = "That is more than you may move today"
