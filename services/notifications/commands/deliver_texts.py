"""Send the text messages that are due, outside any transaction.

A provider has no way to say the same message twice, so one whose answer was lost is sent again: the same code twice is better
than none. One process at a time runs this (see `jobs.py`).
"""

import asyncio
import logging

from services.notifications.context import Context
from services.notifications.domain.text_message import TextMessage, retry_after
from services.notifications.metrics import TEXTS
from services.notifications.providers.base import Accepted, Deferred, Outcome, Refused, Unreachable

_log = logging.getLogger(__name__)

_AT_ONCE = 10


async def deliver_texts(context: Context) -> None:
    """Send until nothing is due."""
    while await _deliver_batch(context):
        pass


async def _deliver_batch(context: Context) -> bool:
    """Send what is due; whether there may be more."""
    async with context.unit_of_work() as work:
        expired = await work.texts.give_up_expired(work.now)
        messages = await work.texts.due(work.now, limit=_AT_ONCE)
    for template in expired:
        TEXTS.labels(template, "expired").inc()
    if expired:
        _log.warning("text messages were not sent in time", extra={"texts": len(expired)})
    await asyncio.gather(*(_deliver(context, message) for message in messages))
    return len(messages) == _AT_ONCE


async def _deliver(context: Context, message: TextMessage) -> None:
    outcome = await context.sms.send(message.number, message.words)
    async with context.unit_of_work() as work:
        match outcome:
            case Accepted(reference):
                await work.texts.mark_sent(message.id, work.now, reference)
            case Refused(reason):
                await work.texts.mark_failed(message.id, work.now, reason)
            case Deferred(reason) | Unreachable(reason):
                await work.texts.postpone(message.id, work.now + retry_after(message.attempts + 1), reason)
    TEXTS.labels(message.template, _name_of(outcome)).inc()
    if not isinstance(outcome, Accepted):
        fields = {"text_id": str(message.id), "outcome": _name_of(outcome), "reason": outcome.reason}
        _log.warning("a text message was not sent", extra={**fields, "attempt": message.attempts + 1})


def _name_of(outcome: Outcome) -> str:
    match outcome:
        case Accepted():
            return "sent"
        case Refused():
            return "failed"
        case Deferred():
            return "unknown" if outcome.unknown else "deferred"
        case Unreachable():
            return "unreachable"
