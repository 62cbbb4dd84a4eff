"""Send the e-mails that are due, outside any transaction.

At least once: what the server took is marked at once, but when its answer is lost, or this process dies before the mark,
the same message with the same Message-ID is sent again. One process at a time runs this (see `jobs.py`); if it dies,
the lock dies with it and another goes on.
"""

import asyncio
import logging
from collections.abc import Sequence

from services.notifications.context import Context
from services.notifications.domain.letter import SERVER_RETRY, Letter, mime_message, retry_after
from services.notifications.metrics import EMAILS, EMAILS_PENDING
from services.notifications.providers.base import Accepted, Deferred, MailSession, Outcome, Refused, Unreachable

_log = logging.getLogger(__name__)

_BATCH = 100


async def deliver_emails(context: Context) -> None:
    """Send until nothing is due or the server cannot be reached."""
    while await _deliver_batch(context):
        pass


async def _deliver_batch(context: Context) -> bool:
    """Send what is due; whether there may be more."""
    async with context.unit_of_work() as work:
        expired = await work.emails.give_up_expired(work.now)
        letters = await work.emails.due(work.now, limit=_BATCH)
        EMAILS_PENDING.set(await work.emails.count_pending())
    for template in expired:
        EMAILS.labels(template, "expired").inc()
    if expired:
        _log.warning("e-mails were not sent in time", extra={"emails": len(expired)})
    lanes = _lanes(letters, context.settings.smtp_connections)
    ends = await asyncio.gather(*(_send_in_order(context, lane) for lane in lanes), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return len(letters) == _BATCH and all(ends)


def _lanes(letters: Sequence[Letter], connections: int) -> list[list[Letter]]:
    """The e-mails for each connection: those of one recipient on the same one, in order."""
    lanes: dict[int, list[Letter]] = {}
    for letter in letters:
        lanes.setdefault(hash(letter.recipient) % connections, []).append(letter)
    return list(lanes.values())


async def _send_in_order(context: Context, letters: Sequence[Letter]) -> bool:
    """Send through one connection; whether the server could be reached."""
    async with context.mailer.session() as session:
        for position, letter in enumerate(letters):
            outcome = await _offer(context, session, letter)
            if isinstance(outcome, Unreachable):
                await _wait_for_server(context, letters[position:], outcome)
                return False
            await _record(context, letter, outcome)
    return True


async def _offer(context: Context, session: MailSession, letter: Letter) -> Outcome:
    try:
        message = mime_message(letter, context.settings.sender)
    except ValueError:
        return Refused("invalid_address")
    return await session.send(message)


async def _record(context: Context, letter: Letter, outcome: Accepted | Deferred | Refused) -> None:
    async with context.unit_of_work() as work:
        match outcome:
            case Accepted():
                await work.emails.mark_sent(letter.id, work.now)
            case Refused(reason):
                await work.emails.mark_failed(letter.id, work.now, reason)
            case Deferred(reason):
                until = work.now + retry_after(letter.attempts + 1)
                await work.emails.postpone([letter.id], until, reason, counts=True)
    EMAILS.labels(letter.template, _name_of(outcome)).inc()
    if not isinstance(outcome, Accepted):
        fields = {"email_id": str(letter.id), "outcome": _name_of(outcome), "reason": outcome.reason}
        _log.warning("an e-mail was not sent", extra={**fields, "attempt": letter.attempts + 1})


async def _wait_for_server(context: Context, letters: Sequence[Letter], outcome: Unreachable) -> None:
    async with context.unit_of_work() as work:
        ids = [letter.id for letter in letters]
        await work.emails.postpone(ids, work.now + SERVER_RETRY, outcome.reason, counts=False)
    EMAILS.labels(letters[0].template, "unreachable").inc()
    _log.warning("the mail server cannot be used", extra={"reason": outcome.reason, "emails": len(letters)})


def _name_of(outcome: Accepted | Deferred | Refused) -> str:
    match outcome:
        case Accepted():
            return "sent"
        case Refused():
            return "failed"
        case Deferred():
            return "unknown" if outcome.unknown else "deferred"
