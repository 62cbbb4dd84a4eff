"""The sandbox's words in ours. A status that is not listed here decides nothing."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.payments.domain.reconciliation import ReportRow
from services.payments.providers.base import (
    PAYMENT_EXPIRED,
    Answer,
    Checkout,
    Failure,
    NeverSeen,
    Settled,
    SettlementPage,
    StillPending,
    Success,
    Unknown,
)
from shared.money import MAX_AMOUNT_MINOR

_PAYMENT_REFUSALS = {
    "declined": ("payment_declined", "The payment was declined."),
    "expired": (PAYMENT_EXPIRED, "Nobody paid in time."),
}
_PAYOUT_REFUSALS = {"failed": ("payout_refused", "The provider could not pay to this destination.")}


def read_checkout(status: int, body: Any) -> Answer[Checkout]:
    """The answer to beginning a payment."""
    if status in (200, 201) and isinstance(body, Mapping) and _texts(body, "id", "checkout_url"):
        return Success(Checkout(body["id"], body["checkout_url"]), raw=body)
    return _refused_or_unknown(status, body)


def read_payment(status: int, body: Any) -> Answer[Settled]:
    """The answer to asking about a payment in."""
    return _read_settled(status, body, pending="pending", refusals=_PAYMENT_REFUSALS)


def read_payout_order(status: int, body: Any) -> Answer[Settled]:
    """The answer to ordering a payout."""
    return read_payout(status, body) if status in (200, 201) else _refused_or_unknown(status, body)


def read_payout(status: int, body: Any) -> Answer[Settled]:
    """The answer to asking about a payout."""
    return _read_settled(status, body, pending="processing", refusals=_PAYOUT_REFUSALS)


def read_settlements(status: int, body: Any) -> Answer[SettlementPage]:
    """A page of a settlement report. One row that cannot be read makes the page unreadable: half a report is none."""
    if status != 200:
        return Unknown(f"HTTP {status}", raw=_record(status, body))
    try:
        page = SettlementPage(
            day=date.fromisoformat(body["date"]),
            complete=body["complete"] is True,
            total_rows=int(body["total_rows"]),
            rows=tuple(_settlement(row) for row in body["rows"]),
            next_cursor=body["next_cursor"],
        )
    except (KeyError, TypeError, ValueError):
        return Unknown("the report has another shape than documented")
    return Success(page)


def _settlement(row: Mapping[str, Any]) -> ReportRow:
    """Raises `KeyError`, `TypeError` or `ValueError`."""
    amounts = (row["amount"], row["fee"])
    if row["type"] not in ("payment", "payout") or not _texts(row, "id", "reference", "currency"):
        raise ValueError("a row of another shape than documented")
    if not all(type(amount) is int for amount in amounts) or not 0 < row["amount"] <= MAX_AMOUNT_MINOR or row["fee"] < 0:
        raise ValueError("an amount that cannot be")
    settled_at = datetime.fromisoformat(row["settled_at"]).astimezone(UTC)
    return ReportRow(row["id"], row["type"], row["reference"], *amounts, row["currency"], settled_at)


def _read_settled(status: int, body: Any, *, pending: str, refusals: Mapping[str, tuple[str, str]]) -> Answer[Settled]:
    if status not in (200, 201):
        return _not_answered(status, body)
    if not isinstance(body, Mapping) or not _texts(body, "id", "reference", "currency", "status"):
        return Unknown("the answer has another shape than documented", raw=_record(status, body))
    if body["status"] == pending:
        return StillPending(pending, raw=body)
    if refusal := refusals.get(body["status"]):
        return Failure(*refusal, raw=body)
    if body["status"] == "succeeded" and type(body.get("amount")) is int:
        return Success(Settled(body["id"], body["reference"], body["amount"], body["currency"]), raw=body)
    return Unknown(f"unmapped status {body['status']}", raw=body)


def _refused_or_unknown(status: int, body: Any) -> Answer[Any]:
    if status == 422:
        return Failure("order_refused", "The provider does not take this order.", raw=_record(status, body))
    return _not_answered(status, body)


def _not_answered(status: int, body: Any) -> Unknown:
    """That a question is refused, whatever the reason, says nothing of the money that it was about."""
    code = body.get("code") if isinstance(body, Mapping) else None
    if status == 404 and code == "unknown_reference":
        return NeverSeen("unknown reference", raw=_record(status, body))
    return Unknown(f"HTTP {status}", raw=_record(status, body))


def _texts(body: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(body.get(name), str) and body[name] for name in names)


def _record(status: int, body: Any) -> dict[str, Any]:
    return {"http_status": status, "body": body if isinstance(body, Mapping) else str(body)[:500]}
