"""Short codes that are sent by e-mail or SMS, and recovery codes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

CodePurpose = Literal["verify_phone", "enrol_sms", "enrol_email", "sms", "email"]
"""`sms` and `email` are codes of a factor; the others prove that a number or address is the person's."""

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=10)
MAX_TRIES = 5
RECOVERY_CODES = 10
_RECOVERY_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that look like another
_RECOVERY_LENGTH = 16
_TYPED_BETWEEN = re.compile(r"[\s-]")


@dataclass(frozen=True)
class SentCode:
    """A code on its way to `sent_to`, good for `subject` only: a login that waits, a session, or an account."""

    id: UUID
    user_id: UUID
    purpose: CodePurpose
    subject: UUID
    sent_to: str
    code_hash: bytes
    created_at: datetime
    expires_at: datetime
    tries: int = 0

    def usable(self, now: datetime) -> bool:
        """Whether it can still be tried."""
        return now < self.expires_at and self.tries < MAX_TRIES


def typed(code: str) -> str:
    """A code as it is meant, whatever spaces, dashes and small letters it was typed with."""
    return _TYPED_BETWEEN.sub("", code).upper()


def new_code(below: Callable[[int], int]) -> str:
    """A code of digits; `below(n)` is a random number less than `n`."""
    return f"{below(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def new_recovery_code(below: Callable[[int], int]) -> str:
    """A recovery code of some 78 random bits, in groups of four."""
    letters = "".join(_RECOVERY_LETTERS[below(len(_RECOVERY_LETTERS))] for _ in range(_RECOVERY_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _RECOVERY_LENGTH, 4))


def masked(sent_to: str) -> str:
    """An address or number of which its owner recognises the end and nobody else learns much."""
    name, at, domain = sent_to.partition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    return f"{sent_to[:4]}•••{sent_to[-3:]}"
