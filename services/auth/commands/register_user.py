"""Open an account. Nobody learns whether the address has one already, neither from the answer nor from its time."""

from dataclasses import dataclass
from datetime import timedelta

from services.auth.commands.limit_attempts import mail_allowed
from services.auth.commands.tell_user import mail_link, publish_registered, send_mail
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.passwords import accepted
from services.auth.domain.user import User, new_user
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id


@dataclass(frozen=True)
class Registration:
    """What a person gives to open an account; `email` is lower-case."""

    email: str
    password: str
    full_name: str
    phone: str | None


async def register_user(context: Context, registration: Registration, origin: Origin) -> User:
    """The account that was opened, or one that looks like it when the address had one: then its owner gets a letter.

    Raises `InvalidRequest` for a password that is refused.
    """
    password = accepted(registration.password, field="password", about=(registration.email, registration.full_name))
    password_hash = await context.passwords.hash(password)
    async with context.unit_of_work() as work:
        user = new_user(
            user_id=new_id(),
            email=registration.email,
            password_hash=password_hash,
            full_name=registration.full_name,
            phone=registration.phone,
            home_currency=context.settings.home_currency,
            now=work.now,
        )
        if await work.users.add_if_email_is_free(user):
            await _welcome(context, work, user, origin)
        else:
            await _tell_owner(context, work, user, origin)
    return user


async def _welcome(context: Context, work: AuthUnitOfWork, user: User, origin: Origin) -> None:
    publish_registered(work, user, email_verified=context.email_verified(user))
    if not context.email_verified(user) and await mail_allowed(work, user.email, "verify_email"):
        await mail_link(context, work, user, "verify_email", "verify_email")
    await work.audit("user.registered", origin=origin, actor_id=user.id, subject_id=user.id)


async def _tell_owner(context: Context, work: AuthUnitOfWork, attempted: User, origin: Origin) -> None:
    owner = await work.users.find_by_email(attempted.email)
    if owner is None:
        return
    if await mail_allowed(work, owner.email, "registration_repeated"):
        link = context.settings.public_url
        send_mail(work, owner, "registration_repeated", expires_in=timedelta(days=1), link=link)
    await work.audit("user.registration_repeated", origin=origin, actor_id=None, subject_id=owner.id)
