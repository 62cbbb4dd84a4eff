"""Link an identity of another provider to an account, or unlink it.

An account that exists is linked only when its owner says so: logged in a moment ago, or with a mailed link.
"""

from datetime import timedelta
from uuid import UUID

from services.auth.commands.limit_attempts import mail_allowed
from services.auth.commands.tell_user import mail_link, send_mail
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import IdentityNotFound, LastWayIn, LinkInvalid, UserNotFound
from services.auth.domain.sign_on import ForeignIdentity, Identity, SignOnFailed
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id


async def link_to_account(
    work: AuthUnitOfWork, user_id: UUID, foreign: ForeignIdentity, present: Identity | None, origin: Origin
) -> None:
    """Link it to who is logged in; linked already, nothing changes. Raises `SignOnFailed`."""
    user = await work.users.find(user_id, lock=True)
    if user is None or not user.active:
        raise SignOnFailed("account_suspended", "the account is not active")
    if present is not None:
        if present.user_id != user_id:
            raise SignOnFailed("identity_taken", "it opens another account")
        return
    if not foreign.email_verified:
        raise SignOnFailed("email_unverified", "the provider has not verified the address")
    await _link(work, user, foreign.provider, foreign.issuer, foreign.subject, foreign.email, origin)


async def ask_owner(context: Context, work: AuthUnitOfWork, foreign: ForeignIdentity, origin: Origin) -> None:
    """Write to the owner of the account that has the address of the identity, for them to confirm it.

    An account whose address nobody has ever confirmed may have been opened by somebody else, to wait for its real owner: it
    is not linked. Raises `SignOnFailed`.
    """
    user = await work.users.find_by_email(foreign.email, lock=True)
    if user is None or not user.active:
        raise SignOnFailed("account_suspended", "the account is not active")
    if not context.email_verified(user):
        raise SignOnFailed("account_unconfirmed", "the address of the account was never confirmed")
    if not await mail_allowed(work, user.email, "link_identity"):
        return
    shown_as = context.openid_providers[foreign.provider].settings.shown_as
    link = await mail_link(context, work, user, "link_identity", "link_identity", provider=shown_as)
    await work.identities.ask_confirmation(link.id, foreign)
    await work.audit(
        "identity.confirmation_asked", origin=origin, actor_id=None, subject_id=user.id, after={"provider": foreign.provider}
    )


async def confirm_identity(context: Context, secret: str, origin: Origin) -> User:
    """The account that the identity opens from now on. Raises `LinkInvalid`."""
    async with context.unit_of_work() as work:
        link = await work.links.find("link_identity", hash_of(secret), lock=True)
        user = await work.users.find(link.user_id, lock=True) if link else None
        asked = await work.identities.to_confirm(link.id) if link else None
        if link is None or user is None or asked is None or not link.usable(work.now) or link.email != user.email:
            raise LinkInvalid("Each link works once and for a limited time. Sign on again to get a new one.")
        if not user.active:
            raise LinkInvalid("The account is not active. Write to support.")
        await work.links.use_up(user.id, "link_identity", work.now)
        provider, issuer, subject = asked
        present = await work.identities.find(issuer, subject)
        if present is not None and present.user_id != user.id:
            raise LinkInvalid("This identity opens another account meanwhile.")
        if present is None:
            try:
                await _link(work, user, provider, issuer, subject, link.email, origin)
            except SignOnFailed:
                raise LinkInvalid("The account has another identity of this provider. Unlink that one first.") from None
        return user


async def unlink_identity(context: Context, user_id: UUID, identity_id: UUID, origin: Origin) -> None:
    """Unlink it. Raises `IdentityNotFound`, or `LastWayIn` where no password and no other identity is left."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        linked = await work.identities.of(user_id)
        identity = next((identity for identity in linked if identity.id == identity_id), None)
        if identity is None:
            raise IdentityNotFound("Look at the list of your identities.")
        if user.password_hash is None and len(linked) == 1 and not await work.passkeys.of(user_id):
            raise LastWayIn("Set a password first, with “forgot password”, or add a passkey.")
        await work.identities.delete(identity_id)
        _tell(work, user, "identity_unlinked", identity.provider)
        await work.audit(
            "identity.unlinked",
            origin=origin,
            actor_id=user_id,
            subject_id=identity_id,
            before={"provider": identity.provider, "user_id": str(user_id)},
        )


async def _link(work: AuthUnitOfWork, user: User, provider: str, issuer: str, subject: str, email: str, origin: Origin) -> None:
    if any(identity.issuer == issuer for identity in await work.identities.of(user.id)):
        raise SignOnFailed("identity_taken", "the account has another identity of this provider")
    identity = Identity(
        id=new_id(),
        user_id=user.id,
        provider=provider,
        issuer=issuer,
        subject=subject,
        email=email,
        linked_at=work.now,
    )
    await work.identities.add(identity)
    _tell(work, user, "identity_linked", provider)
    await work.audit(
        "identity.linked",
        origin=origin,
        actor_id=user.id,
        subject_id=identity.id,
        after={"provider": provider, "user_id": str(user.id)},
    )


def _tell(work: AuthUnitOfWork, user: User, template: str, provider: str) -> None:
    changed_at = f"{work.now:%Y-%m-%d %H:%M} UTC"
    send_mail(work, user, template, expires_in=timedelta(days=7), changed_at=changed_at, provider=provider.title())
