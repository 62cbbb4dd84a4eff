"""The sandbox provider's adapter: our calls to its API."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import httpx

from services.payments.providers.base import (
    Answer,
    Capabilities,
    Checkout,
    NoAnswer,
    PaymentOrder,
    PayoutOrder,
    ProviderEvent,
    Settled,
    SettlementPage,
    Unknown,
    required_fields,
)
from services.payments.providers.sandbox import mapping, webhooks
from shared.money import MAX_AMOUNT_MINOR, currency_codes
from shared.webhooks import HEADER, signed_at

_CONNECT_SECONDS = 5.0
_SHOWN_CHARACTERS = 4
REPORT_ROWS_A_PAGE = 500

CAPABILITIES = Capabilities(
    name="sandbox",
    title="Sandbox (no real money)",
    currencies=currency_codes(),
    min_amount_minor=1,
    max_amount_minor=MAX_AMOUNT_MINOR,
    supports_payout=True,
    destination_fields=("account",),
    reports_settlements=True,
)


class SandboxProvider:
    """Talks to the sandbox at `base_url`; `secret` is shared with it and authenticates both directions."""

    capabilities = CAPABILITIES

    def __init__(self, base_url: str, secret: str, *, timeout_seconds: float) -> None:
        self._secret = secret
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/sandbox/api/",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    async def initiate(self, order: PaymentOrder) -> Answer[Checkout]:
        """Begin a payment in."""
        answered = await self._call(
            "POST",
            "payments",
            {
                "reference": order.reference,
                "amount": order.amount_minor,
                "currency": order.currency,
                "description": order.description,
                "expires_at": order.expires_at.isoformat(),
                "return_url": order.return_url,
            },
        )
        return answered if isinstance(answered, Unknown) else mapping.read_checkout(*answered)

    async def sync(self, reference: str) -> Answer[Settled]:
        """What has become of a payment in."""
        answered = await self._call("GET", f"payments/{reference}")
        return answered if isinstance(answered, Unknown) else mapping.read_payment(*answered)

    async def payout(self, order: PayoutOrder) -> Answer[Settled]:
        """Pay out to `destination["account"]`."""
        answered = await self._call(
            "POST",
            "payouts",
            {
                "reference": order.reference,
                "amount": order.amount_minor,
                "currency": order.currency,
                "account": order.destination["account"],
            },
        )
        return answered if isinstance(answered, Unknown) else mapping.read_payout_order(*answered)

    async def payout_sync(self, reference: str) -> Answer[Settled]:
        """What has become of a payout."""
        answered = await self._call("GET", f"payouts/{reference}")
        return answered if isinstance(answered, Unknown) else mapping.read_payout(*answered)

    async def settlements(self, day: date, cursor: str | None) -> Answer[SettlementPage]:
        """What it settled on a day. The answer is signed; one whose signature is not right says nothing."""
        asked = {"date": day.isoformat(), "limit": str(REPORT_ROWS_A_PAGE), **({"cursor": cursor} if cursor is not None else {})}
        try:
            answer = await self._http.get("settlements", params=asked)
            body = answer.json()
        except httpx.HTTPError as error:
            return NoAnswer(f"the provider could not be reached: {type(error).__name__}")
        except ValueError:
            return Unknown("the answer is not JSON")
        if answer.status_code == 200 and not self._signed(answer):
            return Unknown("the report's signature is not right")
        return mapping.read_settlements(answer.status_code, body)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
        """Verify and read a webhook of the sandbox."""
        return webhooks.parse_webhook(self._secret, headers, body, now)

    def check_destination(self, destination: Mapping[str, str]) -> Mapping[str, str]:
        """A sandbox destination is `{"account": text}`."""
        required_fields(destination, self.capabilities.destination_fields)
        return {"account": destination["account"].strip()}

    def mask_destination(self, destination: Mapping[str, str]) -> Mapping[str, str]:
        """The last four characters of the account, if it has more than twice as many."""
        account = destination["account"]
        return {"account": "••••" + (account[-_SHOWN_CHARACTERS:] if len(account) > 2 * _SHOWN_CHARACTERS else "")}

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    def _signed(self, answer: httpx.Response) -> bool:
        """An old answer that somebody sends again is of another day, or says what the provider did say."""
        return signed_at(self._secret, answer.headers.get(HEADER, ""), answer.content) is not None

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any] | Unknown:
        """Status and JSON of the provider's answer, or `Unknown` when none came that can be read."""
        try:
            answer = await self._http.request(method, path, json=body)
            return answer.status_code, answer.json()
        except httpx.HTTPError as error:
            return NoAnswer(f"the provider could not be reached: {type(error).__name__}")
        except ValueError:
            return Unknown("the answer is not JSON")
