"""Ask to be forgotten."""

import secrets
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.privacy import PrivacyRequest
from services.auth.domain.problems import ErasureRefused, UserNotFound
from services.auth.sagas.erasure import ERASURE, Erasure, ask
from shared.ids import new_id

_OPERATORS = frozenset({"admin", "support"})


async def request_erasure(context: Context, user_id: UUID, origin: Origin) -> PrivacyRequest:
    """The erasure that is under way, or a new one: nothing is changed before every service has agreed.

    Raises `ErasureRefused` for an operator, whose actions must stay theirs.
    """
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        if _OPERATORS & set(user.roles):
            raise refused([{"code": "operator_account", "detail": "Ask another administrator to take your role away first."}])
        latest = await work.privacy.latest_of(user_id, "erasure")
        if latest is not None and latest.open:
            return latest
        request_id, secret = new_id(), secrets.token_urlsafe(32)
        request = PrivacyRequest(
            request_id,
            user_id,
            "erasure",
            "checking",
            work.now,
            secret=context.vault.encrypt_text(secret, aad=secret_place(request_id)),
            secret_hash=hash_of(secret),
        )
        await work.privacy.add(request)
        saga = ERASURE.begin(request.id, Erasure(erasure_id=request.id, user_id=user_id), work.now)
        await work.sagas.add(saga)
        for message in ask(saga.data, None):
            work.outbox.add(message, aggregate_id=request.id)
        await work.audit("erasure.requested", origin=origin, actor_id=user_id, subject_id=request.id)
        return request


def refused(blockers: list[dict[str, str]]) -> ErasureRefused:
    """The problem that says what stands in the way."""
    detail = " ".join(blocker["detail"] for blocker in blockers[:5])
    return ErasureRefused(detail, extra={"blockers": blockers})


def secret_place(request_id: UUID) -> str:
    """Where the secret of a report belongs."""
    return f"auth.privacy_requests.secret:{request_id}"
