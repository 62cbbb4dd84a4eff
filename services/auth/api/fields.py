"""Field types of auth's bodies."""

import re
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from services.auth.domain.countries import COUNTRIES
from services.auth.domain.phone import e164, takes_messages
from shared.http.schemas import ShortText

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


def _phone(value: str) -> str:
    number = e164(value)
    if number is None:
        raise ValueError("must be an international number such as +254712345678")
    return number


def _mobile_phone(value: str) -> str:
    if not takes_messages(value):
        raise ValueError("must be a mobile number that messages can be sent to")
    return value


def _country(value: str) -> str:
    if value.upper() not in COUNTRIES:
        raise ValueError("must be a country code of ISO 3166-1 alpha-2, such as KE")
    return value.upper()


def _calendar_date(value: Any) -> Any:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 1990-01-31")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be a time zone such as Africa/Nairobi") from error
    return value


GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=1024, description="The password of the account")]
NewPassword = Annotated[
    SecretStr,
    Field(min_length=1, max_length=1024, description="10 to 256 characters; any will do, the commonest passwords will not"),
]
PersonName = Annotated[ShortText, AfterValidator(_printable), Field(examples=["Amina Wanjiru"])]
Phone = Annotated[
    str, Field(max_length=32, description="International number", examples=["+254712345678"]), AfterValidator(_phone)
]
MobilePhone = Annotated[Phone, AfterValidator(_mobile_phone)]
"""A number that a code can be sent to."""
Language = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$"), Field(description="Language tag", examples=["en", "sw", "pt-BR"])
]
TimeZone = Annotated[str, Field(min_length=1, max_length=64, examples=["Africa/Nairobi"]), AfterValidator(_time_zone)]
Country = Annotated[
    str,
    Field(min_length=2, max_length=2, description="ISO 3166-1 alpha-2", examples=["KE"]),
    AfterValidator(_country),
]
CalendarDate = Annotated[date, BeforeValidator(_calendar_date), Field(examples=["1990-01-31"])]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=200)]
"""A refresh token, or the secret of a mailed link."""
