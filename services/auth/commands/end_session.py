"""End sessions: by logging out, from another device, or because the account is not what it was.

`end_sessions` is the only place that does it, so that everybody who remembers access tokens is always told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from services.auth.commands.exchange import Exchange, refuse_foreign
from services.auth.context import Context
from services.auth.domain.api_client import ApiClient
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import SessionNotFound
from services.auth.domain.session import LONGEST_TOKEN
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.session_events import SessionsEnded
from shared.ids import new_id

EndReason = Literal[
    "logout", "revoked", "password_changed", "factor_changed", "suspended", "closed", "erased", "reuse", "role_taken"
]

_ENDS_CLIENTS_TOO: frozenset[EndReason] = frozenset({"suspended", "closed", "erased"})


async def end_sessions(
    work: AuthUnitOfWork,
    user_id: UUID,
    *,
    reason: EndReason,
    origin: Origin,
    actor_id: UUID | None,
    only: UUID | None = None,
    but: UUID | None = None,
) -> Sequence[UUID]:
    """End the sessions of `user_id` in this transaction: all, `only` one, or all `but` one. The ids of those that lived.

    Their refresh tokens stop working at the commit, their access tokens within seconds of it. `actor_id` is who wanted it.
    """
    ended = await work.sessions.end(user_id, reason=reason, now=work.now, only=only, but=but)
    if ended:
        work.outbox.publish(
            SessionsEnded(
                user_id=user_id,
                session_ids=list(ended),
                reason=reason,
                ended_at=work.now,
                tokens_until=work.now + LONGEST_TOKEN,
            ),
            aggregate_id=user_id,
        )
    for session_id in ended:
        await work.audit("session.ended", origin=origin, actor_id=actor_id, subject_id=session_id, after={"reason": reason})
    if reason in _ENDS_CLIENTS_TOO:
        await end_grants(work, user_id, await work.api_clients.of(user_id), reason=reason)
    return ended


async def end_grants(work: AuthUnitOfWork, owner_id: UUID, clients: Iterable[ApiClient], *, reason: EndReason) -> None:
    """End the access tokens that these API clients have, within seconds of the commit. What they get next is good again."""
    ended = list(clients)
    if not ended:
        return
    for client in ended:
        await work.api_clients.save(replace(client, grant_id=new_id()))
    await work.sessions.note_ended_grants([client.grant_id for client in ended], work.now)
    work.outbox.publish(
        SessionsEnded(
            user_id=owner_id,
            session_ids=[client.grant_id for client in ended],
            reason=reason,
            ended_at=work.now,
            tokens_until=work.now + LONGEST_TOKEN,
        ),
        aggregate_id=owner_id,
    )


async def end_session(context: Context, user_id: UUID, session_id: UUID, origin: Origin, reason: EndReason = "logout") -> None:
    """End a session of `user_id`; ending it again changes nothing. Raises `SessionNotFound`."""
    async with context.unit_of_work() as work:
        session = await work.sessions.find(session_id, lock=True)
        if session is None or session.user_id != user_id:
            raise SessionNotFound("Look at the list of your sessions.")
        await end_sessions(work, user_id, reason=reason, origin=origin, actor_id=user_id, only=session_id)


async def end_other_sessions(context: Context, user_id: UUID, session_id: UUID | None, origin: Origin) -> None:
    """End every session of `user_id` but `session_id`; with None, every one."""
    async with context.unit_of_work() as work:
        await end_sessions(work, user_id, reason="revoked", origin=origin, actor_id=user_id, but=session_id)


async def end_session_of_token(context: Context, exchange: Exchange, origin: Origin) -> None:
    """End the session that a refresh token belongs to; nothing happens when there is none.

    Raises `RefreshTokenInvalid` or `CsrfFailed` when the token came in a way that is not the session's.
    """
    async with context.unit_of_work() as work:
        token = await work.sessions.find_token(hash_of(exchange.secret))
        session = await work.sessions.find(token.session_id, lock=True) if token else None
        if session:
            refuse_foreign(context, session, exchange)
            user_id = session.user_id
            await end_sessions(work, user_id, reason="logout", origin=origin, actor_id=user_id, only=session.id)
