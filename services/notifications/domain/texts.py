"""Words in messages: dates, rates and money as people read them, and other people's words made harmless."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.money import format_minor

_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_LONGEST_LINE = 300
_NOT_IN_A_NAME = re.compile(r"[^\w\s.'’-]")
_DOT_INSIDE = re.compile(r"\.(?=\S)")


def one_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """`text` on one line, without control or invisible direction characters, shortened to `longest` characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """`values`, with every text made one line."""
    return {name: one_line(value) if isinstance(value, str) else value for name, value in values.items()}


def name_text(name: str) -> str:
    """A person's name as it may stand in somebody else's e-mail: no marks that mail programs would turn into a link."""
    return one_line(_DOT_INSIDE.sub(". ", _NOT_IN_A_NAME.sub(" ", one_line(name))), longest=80)


def date_text(day: date, language: str) -> str:
    """`31 January 2026`."""
    months = _MONTHS.get(language, _MONTHS["en"])
    return f"{day.day} {months[day.month - 1]} {day.year}"


def instant_text(instant: datetime, language: str) -> str:
    """`31 January 2026, 14:05 UTC`."""
    at = instant.astimezone(UTC)
    return f"{date_text(at.date(), language)}, {at:%H:%M} UTC"


def percent_text(rate: str) -> str:
    """The rate `0.1850` as `18.5 %`."""
    percent = (Decimal(rate) * 100).normalize()
    return f"{percent:f} %"


def money_text(amount_minor: int, currency: str) -> str:
    """12345600 minor units of KES as `KES 123,456.00`, with the decimals that the currency has."""
    whole, point, decimals = format_minor(abs(amount_minor), currency).partition(".")
    sign = "−" if amount_minor < 0 else ""
    return f"{currency} {sign}{int(whole):,}{point}{decimals}"
