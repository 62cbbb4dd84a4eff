"""Prove that a phone number is the person's own."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.auth.commands.limit_attempts import code_rules, count_attempt, forget_attempts, lock_attempts
from services.auth.commands.send_code import send_code, take_code
from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.factor_problems import CodeInvalid, PhoneMissing
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from services.auth.domain.sent_code import SentCode
from services.auth.domain.user import User


async def send_phone_code(context: Context, user_id: UUID, number: str | None, origin: Origin) -> SentCode:
    """Send a code to `number`, or to the number of the account. Raises `PhoneMissing`, `TooManyCodes` or `SmsUnavailable`."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        sent_to = number or user.phone
        if sent_to is None:
            raise PhoneMissing("Send `phone` with the request, or put your number into your profile.")
        return await send_code(context, work, user, "verify_phone", user_id, sent_to, origin)


async def verify_phone(context: Context, user_id: UUID, code: str, origin: Origin) -> User:
    """The account, whose number is the one that the code went to, confirmed. Raises `CodeInvalid` or `TooManyAttempts`."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        rules = code_rules(context.settings, user, "phone", origin)
        await lock_attempts(work, rules, user, origin)
        sent = await take_code(context, work, user_id, "verify_phone", user_id, code)
        if sent is None:
            await count_attempt(work, rules)
        else:
            await forget_attempts(work, rules, "factor", "account_from_address")
            verified = _with_phone(user, sent.sent_to, work.now)
            await work.users.save(verified)
            if verified.phone != user.phone:
                publish_updated(work, verified)
            await work.audit("user.phone_verified", origin=origin, actor_id=user_id, subject_id=user_id)
            return verified
    raise CodeInvalid("Give the last code that was sent to you, or ask for a new one.")


def _with_phone(user: User, number: str, now: datetime) -> User:
    return replace(user, phone=number, phone_verified_at=now, updated_at=now)
