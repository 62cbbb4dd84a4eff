"""What every payment provider's adapter offers, and the three kinds of answer it may give.

An adapter translates, it decides nothing. Only a documented yes is `Success` and only a documented no is `Failure`;
timeouts, broken connections, 5xx, bodies that cannot be read and statuses nobody has mapped are `Unknown`, and `Unknown`
moves no money. Adapters do not raise for anything that a provider or the network does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from services.payments.domain.reconciliation import ReportRow
from shared.problems import FieldError, Problem

_log = logging.getLogger(__name__)

PAYMENT_EXPIRED = "payment_expired"
"""The code of a `Failure` of `sync` that means: nobody paid in time."""

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Raw = Mapping[str, Any]
"""What the provider answered, for the record: secrets and personal data already taken out."""


@dataclass(frozen=True)
class Success(Generic[T_co]):
    """The provider says that it has happened."""

    value: T_co
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The provider says that it has not happened and will not. `reason` may be shown to the user."""

    code: str
    reason: str
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class Unknown:
    """Nobody can say yet. `reason` is for operators."""

    reason: str
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class NoAnswer(Unknown):
    """Nothing came back from the provider, or not in time."""


@dataclass(frozen=True)
class StillPending(Unknown):
    """The provider was reached, knows the reference, and has not decided."""


@dataclass(frozen=True)
class NeverSeen(Unknown):
    """The provider was reached and knows no such reference. A call that is still on its way may yet bring it."""


Answer = Success[T] | Failure | Unknown


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do; fixed. Amounts in minor units; `destination_fields` are what a payout must name."""

    name: str
    title: str
    currencies: frozenset[str]
    min_amount_minor: int
    max_amount_minor: int
    supports_payout: bool
    destination_fields: tuple[str, ...] = ()
    reports_settlements: bool = False

    def takes(self, currency: str, amount_minor: int) -> bool:
        """Whether this provider moves `amount_minor` of `currency`."""
        return currency in self.currencies and self.min_amount_minor <= amount_minor <= self.max_amount_minor


@dataclass(frozen=True)
class PaymentOrder:
    """Money that somebody wants to pay in. `reference` is ours and names this payment for ever."""

    reference: str
    amount_minor: int
    currency: str
    description: str
    expires_at: datetime
    return_url: str | None = None


@dataclass(frozen=True)
class Checkout:
    """A payment that was begun: where the payer goes to pay."""

    provider_payment_id: str
    checkout_url: str


@dataclass(frozen=True)
class PayoutOrder:
    """Money to be paid out to `destination`. `reference` is ours and names this payout for ever."""

    reference: str
    amount_minor: int
    currency: str
    description: str
    destination: Mapping[str, str]


@dataclass(frozen=True)
class Settled:
    """Money that a provider says it has moved, in its own words' facts: to be compared with what was ordered."""

    provider_id: str
    reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class SettlementPage:
    """A part of a provider's report of one day (UTC), in its own words' facts. Not `complete` before the day is over.

    `total_rows` is of the whole report; with `next_cursor` there is more.
    """

    day: date
    complete: bool
    total_rows: int
    rows: tuple[ReportRow, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class ProviderEvent:
    """A webhook whose signature was right. `key` is the same for each repetition of the event."""

    key: str
    type: str
    reference: str | None
    body: Raw


class DestinationRefused(Problem):
    """The provider cannot pay to a destination of this shape."""

    status = 422
    code = "invalid_destination"
    title = "The destination is not one this provider can pay to"


class Provider(Protocol):
    """One payment provider. Every call names our own reference and may be repeated with it."""

    capabilities: Capabilities

    async def initiate(self, order: PaymentOrder) -> Answer[Checkout]:
        """Begin a payment in. Repeating it gives the same checkout."""
        ...

    async def sync(self, reference: str) -> Answer[Settled]:
        """What has become of a payment in."""
        ...

    async def payout(self, order: PayoutOrder) -> Answer[Settled]:
        """Pay out. `StillPending` when the provider took the order and has not paid yet."""
        ...

    async def payout_sync(self, reference: str) -> Answer[Settled]:
        """What has become of a payout."""
        ...

    async def settlements(self, day: date, cursor: str | None) -> Answer[SettlementPage]:
        """What it settled on a day, from `cursor` on. Asked only if `capabilities.reports_settlements`."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Verify and read a webhook; header names are lower case. Raises `WebhookForged`, `WebhookStale`, `WebhookUnreadable`."""
        ...

    def check_destination(self, destination: Mapping[str, str]) -> Mapping[str, str]:
        """The destination as it will be used. Raises `DestinationRefused` naming the fields."""
        ...

    def mask_destination(self, destination: Mapping[str, str]) -> Mapping[str, str]:
        """What of a destination may be shown and kept in the clear."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


Providers = Mapping[str, Provider]


def required_fields(destination: Mapping[str, str], fields: tuple[str, ...]) -> None:
    """Refuse a destination that lacks one of `fields` or has others. Raises `DestinationRefused`."""
    wrong = [FieldError(f"destination.{name}", "is required") for name in fields if not destination.get(name, "").strip()]
    wrong += [FieldError(f"destination.{name}", "is not known to this provider") for name in destination if name not in fields]
    if wrong:
        raise DestinationRefused(f"The destination must be an object with: {', '.join(fields)}.", errors=wrong)


async def ask(call: Awaitable[Answer[T]], *, timeout_seconds: float) -> Answer[T]:
    """The answer of a provider, or `Unknown` when it took too long or the adapter broke down."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await call
    except TimeoutError:
        return NoAnswer(f"no answer within {timeout_seconds:g} s")
    except Exception as error:
        _log.exception("a provider's adapter failed; its answer counts as unknown")
        return Unknown(f"the adapter failed: {type(error).__name__}")
