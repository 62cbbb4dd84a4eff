"""Field types and base classes of request and response bodies, as the public contract fixes them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from shared.money import MAX_AMOUNT_MINOR, UnknownCurrency, currency

_BROKEN_UNICODE = re.compile("[\ud800-\udfff]")


def _refuse_unstorable_text(value: Any) -> None:
    waiting = [value]
    for one in waiting:  # grows as it goes: every request passes here, and a call for each value would cost more than looking
        if isinstance(one, str):
            if "\x00" in one or (not one.isascii() and _BROKEN_UNICODE.search(one)):
                raise ValueError("text must not hold NUL characters or broken Unicode")
        elif isinstance(one, dict):
            waiting += one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, and so is text that no database can hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, data: Any) -> Any:
        _refuse_unstorable_text(data)
        return data


class View(BaseModel):
    """Base of response bodies."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _known_currency(code: str) -> str:
    try:
        return currency(code).code
    except UnknownCurrency as error:
        raise ValueError("unknown currency; use an ISO 4217 code in capitals, such as KES") from error


def _email_address(value: str) -> str:
    import email_validator

    try:
        # Syntax only: whether mail arrives is what the verification link is for. `.test` is for trying things out.
        parsed = email_validator.validate_email(value, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"not an e-mail address: {error}") from error
    return (parsed.ascii_email or parsed.normalized).lower()


_RATE_PATTERN = r"^\d{1,2}(\.\d{1,10})?$"


def _annual_rate(value: str) -> str:
    if not re.fullmatch(_RATE_PATTERN, value, re.ASCII):
        raise ValueError("must be a decimal of one year with at most 10 places, such as 0.1850 for 18.5 %")
    if not 0 <= Decimal(value) <= 10:
        raise ValueError("must be between 0 and 10 (1 is 100 % a year)")
    return value


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must name its offset, for example 2026-01-31T12:00:00Z")
    return value.astimezone(UTC)


AmountMinor = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MAX_AMOUNT_MINOR,
        description="Integer of minor units: 12500 with currency KES is KES 125.00",
        examples=[12500],
    ),
]
"""A positive amount in minor units, 1 … 10^15. Floats, strings and booleans are refused."""

CurrencyCode = Annotated[
    str,
    AfterValidator(_known_currency),
    Field(description="ISO 4217 code", examples=["KES"], min_length=3, max_length=3),
]
RateString = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_annual_rate),
    Field(
        description="Annual nominal rate as a decimal string: 0.1850 is 18.5 % a year",
        examples=["0.1850"],
        json_schema_extra={"pattern": _RATE_PATTERN},
    ),
]
EmailAddress = Annotated[
    str,
    Field(max_length=254, json_schema_extra={"format": "email"}, examples=["amina@example.com"]),
    AfterValidator(_email_address),
]
"""An e-mail address, in lower case whatever was sent."""
Instant = Annotated[
    datetime,
    AfterValidator(_utc),
    PlainSerializer(lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str, when_used="json"),
]
"""An instant, RFC 3339 in UTC."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class ProblemDocument(BaseModel):
    """What went wrong and what to do next, as RFC 9457 says."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "https://lendery.dev/problems/insufficient_funds",
                "title": "Not enough money",
                "status": 409,
                "detail": "The wallet has KES 125.00 available; KES 500.00 is needed.",
                "code": "insufficient_funds",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            }
        }
    )

    class FieldProblem(BaseModel):
        """One field that was refused."""

        field: str
        message: str

    type: str = Field(description="Address of the documentation of this code")
    title: str
    status: int
    detail: str = Field(description="What happened this time, and what to do next")
    code: str = Field(description="Stable, snake_case; switch on this one")
    trace_id: str = Field(description="Quote this when you ask for help")
    errors: list[FieldProblem] | None = Field(None, description="With a 422: the fields to correct")
