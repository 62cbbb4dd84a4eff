"""What must not be accepted any more although its time is not over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.session import LONGEST_TOKEN
from services.auth.store.sessions import Sessions
from services.auth.store.signing_keys import SigningKeys

_KEYS_KEPT = timedelta(days=1)  # longer than any process keeps a key set


@dataclass(frozen=True)
class RevokedNow:
    """Sessions with the instant until which their tokens would be good, and the ids of keys."""

    as_of: datetime
    sessions: Mapping[UUID, datetime]
    key_ids: Sequence[str]


async def revoked_now(context: Context, since: datetime | None) -> RevokedNow:
    """What was ended since then, as far as it still matters."""
    now = context.clock.now()
    oldest = now - LONGEST_TOKEN
    async with context.read() as connection:
        store = Sessions(connection, context.vault)
        ended = await store.ended_since(max(since, oldest) if since else oldest)
        key_ids = await SigningKeys(connection, context.vault).revoked_since(now - _KEYS_KEPT)
    return RevokedNow(now, {session_id: at + LONGEST_TOKEN for session_id, at in ended.items()}, key_ids)
