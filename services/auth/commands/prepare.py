"""What must be there before the first request, apart from a signing key: outside production, an administrator.

Several replicas may start at once; the database lets one of them make what is missing.
"""

from dataclasses import replace

from services.auth.commands.tell_user import publish_registered
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from services.auth.domain.passwords import normalised
from services.auth.domain.user import new_user
from services.auth.store.users import Users
from shared.ids import new_id


async def ensure_admin(context: Context) -> None:
    """Make the first administrator, unless the account exists or no password was given."""
    password = context.settings.first_admin_password
    email = context.settings.admin_email.lower()
    if password is None:
        return
    async with context.read() as connection:
        if await Users(connection, context.vault).find_by_email(email):
            return
    password_hash = await context.passwords.hash(normalised(password))
    async with context.unit_of_work() as work:
        admin = new_user(
            user_id=new_id(),
            email=email,
            password_hash=password_hash,
            full_name="Administrator",
            phone=None,
            home_currency=context.settings.home_currency,
            now=work.now,
        )
        admin = replace(admin.with_email_verified(work.now), roles=("admin", "user"))
        if await work.users.add_if_email_is_free(admin):
            publish_registered(work, admin, email_verified=True)
            await work.audit("user.bootstrapped", origin=SYSTEM, actor_id=None, subject_id=admin.id)
