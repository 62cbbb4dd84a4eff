"""The chart of accounts: which addresses there are, and how low the balance of each may go.

| address | what it is | floor |
| --- | --- | --- |
| `wallet:{id}` | a person's money; opened with the wallet only | 0 |
| `loan:{id}:funding`, `loan:{id}:collections` | money on its way to a borrower, or to lenders | 0 |
| `ticket:{id}:escrow` | the price of a thing that is lent | 0 |
| `fees:{ccy}`, `reserve:{ccy}` | what the platform earned; the reserve fund | 0 |
| `provider:{name}:{ccy}` | what a payment provider holds for us: below zero, since it is an asset | none |
| `position:{ccy}` | the other side of an exchange | none |
| `suspense:{ccy}` | what operators have yet to explain | none |
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CURRENCY = r"(?P<currency>[A-Z]{3})"


@dataclass(frozen=True, slots=True)
class AccountRule:
    """How accounts of one kind are opened. Without `currency` an account takes that of its first entry."""

    floor_minor: int | None
    opens_itself: bool
    currency: str | None = None


_CHART: tuple[tuple[re.Pattern[str], int | None, bool], ...] = tuple(
    (re.compile(pattern), floor_minor, opens_itself)
    for pattern, floor_minor, opens_itself in (
        (rf"wallet:{_ID}", 0, False),
        (rf"loan:{_ID}:(?:funding|collections)", 0, True),
        (rf"ticket:{_ID}:escrow", 0, True),
        (rf"fees:{_CURRENCY}", 0, True),
        (rf"reserve:{_CURRENCY}", 0, True),
        (rf"provider:[a-z][a-z0-9_-]{{0,63}}:{_CURRENCY}", None, True),
        (rf"position:{_CURRENCY}", None, True),
        (rf"suspense:{_CURRENCY}", None, True),
    )
)


@lru_cache(maxsize=4096)
def rule_for(address: str) -> AccountRule | None:
    """The rule for `address`, or None when the chart has no such account."""
    for pattern, floor_minor, opens_itself in _CHART:
        if found := pattern.fullmatch(address):
            return AccountRule(floor_minor, opens_itself, found.groupdict().get("currency"))
    return None


def wallet_address(wallet_id: object) -> str:
    """The address of a wallet's account."""
    return f"wallet:{wallet_id}"
