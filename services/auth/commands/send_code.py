"""Send a short code to the owner of an account, and tell whether a code that comes back is the one."""

import hmac
import secrets
from uuid import UUID

from services.auth.commands.limit_attempts import refuse_more_codes
from services.auth.commands.tell_user import send_mail, text_code
from services.auth.context import Context
from services.auth.domain.factor_problems import SmsUnavailable
from services.auth.domain.origin import Origin
from services.auth.domain.sent_code import CODE_LIFETIME, CodePurpose, SentCode, new_code, typed
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id

_TEMPLATES: dict[CodePurpose, str] = {
    "verify_phone": "phone_code",
    "enrol_sms": "phone_code",
    "enrol_email": "factor_code",
    "sms": "login_code",
    "email": "login_code",
}
_BY_EMAIL = frozenset({"enrol_email", "email"})


async def send_code(
    context: Context, work: AuthUnitOfWork, user: User, purpose: CodePurpose, subject: UUID, sent_to: str, origin: Origin
) -> SentCode:
    """A new code for `subject`, in place of an earlier one, on its way to `sent_to`.

    Raises `TooManyCodes`, or `SmsUnavailable` where this platform sends none.
    """
    if purpose not in _BY_EMAIL and not context.settings.sms_codes:
        raise SmsUnavailable("Use another second factor: an authenticator app, e-mail or a passkey.")
    await refuse_more_codes(work, user, sent_to, origin)
    code, code_id = new_code(secrets.randbelow), new_id()
    sent = SentCode(
        id=code_id,
        user_id=user.id,
        purpose=purpose,
        subject=subject,
        sent_to=sent_to,
        code_hash=_hashes(context, code_id, code)[0],
        created_at=work.now,
        expires_at=work.now + CODE_LIFETIME,
    )
    await work.sent_codes.put(sent)
    if purpose in _BY_EMAIL:
        send_mail(work, user, _TEMPLATES[purpose], expires_in=CODE_LIFETIME, code=code)
    else:
        text_code(work, user, sent_to, _TEMPLATES[purpose], code, expires_in=CODE_LIFETIME)
    return sent


async def take_code(
    context: Context, work: AuthUnitOfWork, user_id: UUID, purpose: CodePurpose, subject: UUID, code: str
) -> SentCode | None:
    """The code that was sent for `subject` if `code` is it, used up now; None counts as a try. The account is locked."""
    sent = await work.sent_codes.find(user_id, purpose, subject)
    if sent is None or not sent.usable(work.now):
        return None
    if not any(hmac.compare_digest(sent.code_hash, known) for known in _hashes(context, sent.id, code)):
        await work.sent_codes.count_try(sent.id)
        return None
    await work.sent_codes.remove(sent.id)
    return sent


def _hashes(context: Context, code_id: UUID, code: str) -> list[bytes]:
    """Keyed hashes of a code, one for each encryption key there is: without a key all codes are soon tried."""
    data = code_id.bytes + typed(code).encode()
    return [context.vault.derive("one-time code", data, key_id=key_id) for key_id in context.vault.key_ids]
