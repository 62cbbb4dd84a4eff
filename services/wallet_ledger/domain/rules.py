"""The rules that a single entry must keep. Each check raises `Rejected` and changes nothing."""

from datetime import date, datetime

from services.wallet_ledger.domain.account import Account, AccountStatus, HeldMoney, HoldStatus
from services.wallet_ledger.domain.transaction import Rejected
from shared.money import MAX_AMOUNT_MINOR, format_minor

MAX_TOTAL_MINOR = 2**63 - 1
"""What a `bigint` column holds: the sum of all debits, or credits, of one account."""


def check_pair(debit: Account, credit: Account, currency: str, amount_minor: int) -> None:
    """Money of `currency` may go from one account to the other at all."""
    if not 1 <= amount_minor <= MAX_AMOUNT_MINOR:
        raise Rejected("amount_out_of_range", f"An amount must be 1 to {MAX_AMOUNT_MINOR} minor units.")
    if debit is credit:
        raise Rejected("same_account", f"Both sides of an entry are {debit.address}.")
    if debit.currency != currency or credit.currency != currency:
        wrong = debit if debit.currency != currency else credit
        raise Rejected("currency_mismatch", f"{wrong.address} is in {wrong.currency}, the entry in {currency}.")


def check_may_leave(account: Account, amount_minor: int, booked_on: date) -> None:
    """`account` is open, has `amount_minor` to give above its floor, and is within its limit for the day."""
    if account.status is not AccountStatus.OPEN:
        raise Rejected(f"account_{account.status.value}", f"{account.address} is {account.status.value}.")
    if account.floor_minor is not None and account.available_minor - amount_minor < account.floor_minor:
        currency, available_minor = account.currency, account.available_minor - account.floor_minor
        available, needed = format_minor(available_minor, currency), format_minor(amount_minor, currency)
        # A wallet's owner reads this, and knows which one it is.
        name = "The wallet" if account.address.startswith("wallet:") else account.address
        raise Rejected("insufficient_funds", f"{name} has {currency} {available} available; {currency} {needed} is needed.")
    if account.daily_debit_limit_minor is not None:
        today_minor = account.debited_minor if account.debited_on == booked_on else 0
        if today_minor + amount_minor > account.daily_debit_limit_minor:
            raise Rejected("daily_debit_limit_exceeded", f"{account.address} would send more than its limit for one day.")
    _check_room(account, account.debits_posted_minor + account.debits_pending_minor + amount_minor)


def check_may_arrive(account: Account, amount_minor: int) -> None:
    """`account` takes money, and has room for `amount_minor` more."""
    if account.status is AccountStatus.CLOSED:
        raise Rejected("account_closed", f"{account.address} is closed.")
    if account.maximum_balance_minor is not None:
        balance_minor = account.balance_minor + account.credits_pending_minor + amount_minor
        if balance_minor > account.maximum_balance_minor:
            raise Rejected("maximum_balance_exceeded", f"{account.address} would hold more than it may.")
    _check_room(account, account.credits_posted_minor + account.credits_pending_minor + amount_minor)


def _check_room(account: Account, total_minor: int) -> None:
    if total_minor > MAX_TOTAL_MINOR:
        raise Rejected("account_full", f"{account.address} has moved as much as can be counted.")


def check_pending(hold: HeldMoney) -> None:
    """Nobody has settled `hold` yet; the rejection says who did."""
    if hold.status is HoldStatus.PENDING:
        return
    codes = {
        HoldStatus.POSTED: "hold_already_posted",
        HoldStatus.VOIDED: "hold_already_voided",
        HoldStatus.EXPIRED: "hold_expired",
    }
    raise Rejected(codes[hold.status], f"Hold {hold.id} is {hold.status.value}.")


def past_deadline(hold: HeldMoney, now: datetime) -> bool:
    """Whether the deadline of `hold` has come."""
    return hold.expires_at is not None and hold.expires_at <= now


def check_in_time(hold: HeldMoney, now: datetime) -> None:
    """`hold` is pending and its deadline has not come."""
    check_pending(hold)
    if past_deadline(hold, now):
        raise Rejected("hold_expired", f"Hold {hold.id} ended at {hold.expires_at}.")
