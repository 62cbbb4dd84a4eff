"""A text message (SMS)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LONGEST_TEXT = 160
"""What fits into one message; a second one costs as much again."""
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_FIRST_RETRY = timedelta(seconds=3)
_LONGEST_RETRY = timedelta(minutes=1)


@dataclass(frozen=True)
class TextMessage:
    """`words` to one `number` (E.164), worth sending until `give_up_at`."""

    id: UUID
    template: str
    number: str
    words: str
    created_at: datetime
    give_up_at: datetime
    attempts: int = 0


def is_number(text: str) -> bool:
    """Whether `text` is an international number."""
    return _NUMBER.fullmatch(text) is not None


def retry_after(attempts: int) -> timedelta:
    """How long to wait after `attempts` (1 or more): somebody is looking at the phone, so not long."""
    return min(_FIRST_RETRY * (1 << min(attempts - 1, 10)), _LONGEST_RETRY)
