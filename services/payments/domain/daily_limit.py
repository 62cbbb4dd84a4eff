"""How much somebody may pay in or out in one day and currency."""

from dataclasses import dataclass

from services.payments.domain.problems import DailyLimitExceeded
from shared.money import currency as currency_of
from shared.money import format_minor


@dataclass(frozen=True)
class DailyLimit:
    """`limit_major` is in major units of the currency; None: any amount. `used_minor` is what counts against it today."""

    limit_major: int | None
    currency: str
    used_minor: int

    def check(self, amount_minor: int) -> None:
        """Raises `DailyLimitExceeded` when that is more than is left of today."""
        if self.limit_major is None:
            return
        limit_minor = self.limit_major * 10 ** currency_of(self.currency).exponent
        if self.used_minor + amount_minor > limit_minor:
            left_minor = max(limit_minor - self.used_minor, 0)
            raise DailyLimitExceeded(
                f"{format_minor(left_minor, self.currency)} {self.currency} of "
                f"{format_minor(limit_minor, self.currency)} {self.currency} a day (UTC) are left. Wait until tomorrow, or have "
                "your identity confirmed for more: POST /v1/kyc."
            )
