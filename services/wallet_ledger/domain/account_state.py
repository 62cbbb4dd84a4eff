"""An account as operators see and change it: what it may do, why it is frozen, whether it can be closed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.wallet_ledger.domain.problems import AccountClosed, AccountNotEmpty, HomeWallet, PlatformAccount, WalletInUse
from shared.money import format_minor

_KEPT_FOR_EVER = ("fees", "reserve", "position", "suspense")


class FreezeCause(StrEnum):
    """Why an account is frozen. It stays so until the last cause is gone."""

    OPERATOR = "operator"
    SUSPENSION = "suspension"


@dataclass(frozen=True, slots=True)
class Freeze:
    """One cause, since when, and by whom."""

    cause: FreezeCause
    reason: str
    frozen_by: UUID | None
    frozen_at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may hold, and send in one day (UTC); minor units, None: no limit."""

    maximum_balance_minor: int | None
    daily_debit_limit_minor: int | None


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account. Amounts are minor units; `debited_minor` is what left it today, counted where there is a limit."""

    id: int
    address: str
    currency: str
    status: str
    version: int
    balance_minor: int
    held_minor: int
    incoming_minor: int
    floor_minor: int | None
    limits: Limits
    debited_minor: int
    opened_at: datetime
    wallet_id: UUID | None = None
    user_id: UUID | None = None
    is_home: bool = False
    freezes: tuple[Freeze, ...] = ()

    @property
    def kind(self) -> str:
        """The first part of the address."""
        return self.address.partition(":")[0]

    def frozen_for(self, cause: FreezeCause) -> bool:
        """Whether this is one of the causes."""
        return any(freeze.cause is cause for freeze in self.freezes)

    def facts(self) -> dict[str, Any]:
        """What an auditor wants to see before and after a change."""
        return {
            "status": self.status,
            "frozen_for": [freeze.cause.value for freeze in self.freezes],
            "maximum_balance_minor": self.limits.maximum_balance_minor,
            "daily_debit_limit_minor": self.limits.daily_debit_limit_minor,
        }


def check_open_to_change(account: AccountState) -> None:
    """A closed account stays as it is. Raises `AccountClosed`."""
    if account.status == "closed":
        raise AccountClosed(f"{account.address} is closed, for good. There is nothing to change about it.")


def check_closable(account: AccountState, uses: Sequence[str]) -> None:
    """Nothing is in the account, on its way, or counting on it; `uses` names what other services have under way.

    Raises `PlatformAccount`, `HomeWallet`, `AccountNotEmpty` or `WalletInUse`, each with what to do first.
    """
    if account.kind in _KEPT_FOR_EVER:
        raise PlatformAccount(f"The platform itself works with {account.address}. Freeze it if no money may leave it.")
    if account.is_home:
        raise HomeWallet("Money that is sent to its owner's address goes here, so it stays as long as the person's account.")
    if account.balance_minor:
        amount = format_minor(account.balance_minor, account.currency)
        raise AccountNotEmpty(f"There is {account.currency} {amount} in it. Move or withdraw it first, then close.")
    if account.held_minor or account.incoming_minor:
        raise AccountNotEmpty("Money is promised from it or to it. Wait until that has been settled, then close.")
    if uses:
        shown = ", ".join(uses[:5])
        raise WalletInUse(f"It is needed for {shown}. Wait until that has ended, or cancel it, then close.")
