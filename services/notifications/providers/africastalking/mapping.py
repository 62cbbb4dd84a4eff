"""What an answer of Africa's Talking means for the message. Reasons are codes only: answers quote numbers.

Faults of our own account (no credit, an unknown sender, a wrong key) say nothing about the message: it waits for them to be
corrected, as long as it is worth sending. A code that is not known here is no refusal.
"""

import json
from typing import Any

from services.notifications.providers.base import Accepted, Deferred, Outcome, Refused, Unreachable

_TAKEN = frozenset({100, 101, 102})  # processed, sent, queued
_OUR_FAULT = {402: "InvalidSenderId", 405: "InsufficientBalance"}
_NEVER = frozenset({401, 403, 404, 406, 407, 409, 502})  # held, invalid, unsupported, blocked, no route, do not disturb, rejected
_OUR_FAULTS_IN_WORDS = frozenset(_OUR_FAULT.values())


def outcome_of_answer(status: int, content: bytes) -> Outcome:
    """The outcome of one message to one number."""
    if status == 401:
        return Unreachable("401")
    if status == 429 or status >= 500:
        return Deferred(str(status), unknown=status >= 500)
    if status not in (200, 201):
        return Refused(str(status))
    try:
        said = json.loads(content)["SMSMessageData"]
        recipients = said["Recipients"]
        return _of_recipient(recipients[0]) if recipients else _of_words(str(said.get("Message")))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return Deferred("unreadable_answer", unknown=True)


def _of_recipient(recipient: dict[str, Any]) -> Outcome:
    code = int(recipient["statusCode"])
    if code in _TAKEN:
        return Accepted(str(recipient["messageId"])[:100])
    if code in _OUR_FAULT:
        return Unreachable(f"{code} {_OUR_FAULT[code]}")
    return Refused(str(code)) if code in _NEVER else Deferred(str(code))


def _of_words(message: str) -> Outcome:
    """Without recipients only the text tells why."""
    return Unreachable(message) if message in _OUR_FAULTS_IN_WORDS else Deferred("no_recipients")
