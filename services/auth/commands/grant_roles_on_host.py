"""Give roles from the command line: how the second administrator is made, while there is nobody to approve it."""

from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from services.auth.domain.problems import AccountClosed, UserNotFound
from services.auth.domain.user import User


async def grant_roles_on_host(context: Context, email: str, roles: tuple[str, ...], reason: str) -> User:
    """The account with these roles added. Whoever can do this has the database anyway; the audit log says that it was done.

    Raises `UserNotFound` or `AccountClosed`.
    """
    async with context.unit_of_work() as work:
        user = await work.users.find_by_email(email, lock=True)
        if user is None:
            raise UserNotFound("Register the account first.")
        if not user.active:
            raise AccountClosed("Only an active account can be given roles.")
        changed = user.with_roles(tuple(sorted({*user.roles, *roles})), work.now)
        if changed.roles == tuple(sorted(user.roles)):
            return user
        await work.users.save(changed)
        publish_updated(work, changed)
        await work.audit(
            "user.roles_granted_on_host",
            origin=SYSTEM,
            actor_id=None,
            subject_id=user.id,
            before={"roles": list(user.roles)},
            after={"roles": list(changed.roles), "reason": reason},
        )
        return changed
