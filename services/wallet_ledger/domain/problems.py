"""What the service refuses, by stable code."""

from shared.problems import NotFound, Problem, ServiceUnavailable


class LedgerBusy(ServiceUnavailable):
    """More is waiting to be posted than there is room for."""

    code = "ledger_busy"
    title = "The ledger has more to do than it can take on"


class LedgerUnavailable(ServiceUnavailable):
    """The ledger could not say what became of a transaction. Asking again with the same key tells, and does nothing twice."""

    code = "ledger_unavailable"
    title = "The ledger cannot be reached right now"


class WalletNotFound(NotFound):
    """There is no such wallet, or it is somebody else's."""

    code = "wallet_not_found"
    title = "There is no such wallet"


class TransactionNotFound(NotFound):
    """There is no such transaction, or it does not touch the caller's wallets."""

    code = "transaction_not_found"
    title = "There is no such transaction"


class SameWallet(Problem):
    """A transfer from a wallet to itself."""

    status = 422
    code = "same_wallet"
    title = "Both wallets are the same"


class CurrencyMismatch(Problem):
    """The wallets, or a wallet and the amount, are in different currencies."""

    status = 422
    code = "currency_mismatch"
    title = "The currencies differ"


class InsufficientFunds(Problem):
    """The wallet has too little available."""

    status = 409
    code = "insufficient_funds"
    title = "Not enough money"


class TransferRefused(Problem):
    """The ledger refused a transfer for a reason of its accounts: frozen, closed, or a limit."""

    status = 409
    code = "transfer_refused"
    title = "The transfer cannot be made"


class NotReversible(Problem):
    """Only a posted transaction that moved money can be reversed."""

    status = 409
    code = "not_reversible"
    title = "This transaction cannot be reversed"


class AlreadyReversed(Problem):
    """A transaction is reversed once only."""

    status = 409
    code = "already_reversed"
    title = "This transaction has been reversed"


class TooManyWallets(Problem):
    """One person has a limited number of wallets."""

    status = 409
    code = "too_many_wallets"
    title = "You have as many wallets as there can be"


class CommandContradicts(Problem):
    """Another service sent, for a transaction that has its outcome, something else. Never an answer to a client."""

    status = 422
    code = "command_contradicts"
    title = "The command contradicts an earlier one"


class WalletFrozen(Problem):
    """An operator has frozen a wallet: no money can leave it."""

    status = 409
    code = "wallet_frozen"
    title = "The wallet is frozen"


class WalletClosed(Problem):
    """A wallet is closed: nothing moves any more."""

    status = 409
    code = "wallet_closed"
    title = "The wallet is closed"


class LimitExceeded(Problem):
    """A limit of one of the wallets: how much it may hold, or send in one day."""

    status = 409
    code = "limit_exceeded"
    title = "A limit of the wallet would be exceeded"


class VerificationRunning(Problem):
    """The ledger is being verified already."""

    status = 409
    code = "verification_running"
    title = "The ledger is being verified right now"


class AccountNotFound(NotFound):
    """The ledger has no such account."""

    code = "account_not_found"
    title = "There is no such account"


class AccountClosed(Problem):
    """The account is closed, for good."""

    status = 409
    code = "account_closed"
    title = "The account is closed"


class AccountNotEmpty(Problem):
    """Money is in the account, or promised from it or to it."""

    status = 409
    code = "account_not_empty"
    title = "There is money in the account, or on its way"


class WalletInUse(Problem):
    """A loan, an investment, a deposit or a withdrawal counts on the wallet."""

    status = 409
    code = "wallet_in_use"
    title = "The wallet is needed for something that is under way"


class HomeWallet(Problem):
    """The wallet that somebody has from the beginning stays."""

    status = 409
    code = "home_wallet"
    title = "The first wallet cannot be closed"


class PlatformAccount(Problem):
    """The platform itself works with the account."""

    status = 409
    code = "platform_account"
    title = "An account of the platform cannot be closed"


class OwnerSuspended(Problem):
    """The account is frozen because its owner is suspended, not by an operator's hand."""

    status = 409
    code = "owner_suspended"
    title = "The account's owner is suspended"


class NothingSealed(Problem):
    """There is no checkpoint of a ledger of which nothing has been sealed."""

    status = 409
    code = "nothing_sealed"
    title = "No block of the ledger has been sealed yet"


class NoCheckpointKey(ServiceUnavailable):
    """The service has no key to sign checkpoints with."""

    code = "no_checkpoint_key"
    title = "Checkpoints cannot be signed here"


class AdjustmentNotFound(NotFound):
    """There is no such adjustment."""

    code = "adjustment_not_found"
    title = "There is no such adjustment"


class AdjustmentDecided(Problem):
    """The adjustment was approved, declined, or nobody decided it in time."""

    status = 409
    code = "adjustment_not_awaiting"
    title = "The adjustment no longer waits for approval"


class AdjustmentRejected(Problem):
    """Two people agreed, but the ledger's rules forbid it. Nothing has moved."""

    status = 409
    code = "adjustment_rejected"
    title = "The ledger does not take the adjustment"


class ReversalAwaiting(Problem):
    """Somebody has asked for the same reversal, and it waits for approval."""

    status = 409
    code = "reversal_awaiting_approval"
    title = "This reversal waits for approval already"


class SecondPersonRequired(Problem):
    """What one person asks for, another one has to approve."""

    status = 403
    code = "second_person_required"
    title = "A second person has to approve this"


class ReconciliationRunning(Problem):
    """The balances are being compared with their entries already."""

    status = 409
    code = "reconciliation_running"
    title = "A reconciliation is running right now"
