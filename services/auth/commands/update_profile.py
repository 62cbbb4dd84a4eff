"""Change what a person may change about themselves."""

from dataclasses import replace
from typing import TypedDict
from uuid import UUID

from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from services.auth.domain.user import User


class ProfileChanges(TypedDict, total=False):
    """The fields that were given; the others stay."""

    full_name: str
    phone: str | None
    language: str
    time_zone: str
    home_currency: str


async def update_profile(context: Context, user_id: UUID, changes: ProfileChanges, origin: Origin) -> User:
    """The account with its profile changed."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        changed = replace(user, **changes)
        if changed == user:
            return user
        verified_at = user.phone_verified_at if changed.phone == user.phone else None
        changed = replace(changed, updated_at=work.now, phone_verified_at=verified_at)
        await work.users.save(changed)
        publish_updated(work, changed)
        await work.audit(
            "user.profile_updated", origin=origin, actor_id=user_id, subject_id=user_id, after={"fields": sorted(changes)}
        )
        return changed
