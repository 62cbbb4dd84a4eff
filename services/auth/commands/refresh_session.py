"""Exchange a refresh token for the next one. An old one that comes back ends the session."""

from datetime import timedelta

from services.auth.commands.end_session import end_sessions
from services.auth.commands.exchange import Exchange, refuse_foreign
from services.auth.commands.issue_tokens import Tokens, store_refresh_token, successors_of, tokens_of
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import AccountSuspended, RefreshTokenInvalid, RefreshTokenReused
from services.auth.domain.session import RefreshToken, Session, Verdict, judge
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.user_events import SessionReuseDetected


async def refresh_session(context: Context, exchange: Exchange, origin: Origin) -> Tokens:
    """The next pair of tokens.

    Safe in parallel: of many exchanges of one token all get the same next one, within the grace. Raises
    `RefreshTokenInvalid`, `CsrfFailed`, `AccountSuspended`, or `RefreshTokenReused` after the session was ended.
    """
    secret = exchange.secret
    async with context.unit_of_work() as work:
        token, session, user = await _find(work, secret)
        refuse_foreign(context, session, exchange)
        child = await work.sessions.child_of(token.id)
        grace = timedelta(seconds=context.settings.auth_refresh_grace_seconds)
        verdict = judge(session, token, child, work.now, grace)
        if verdict is Verdict.DEAD:
            raise RefreshTokenInvalid("The session is over. Log in again.")
        successor = _successor(context, secret, child)
        if verdict is Verdict.REUSED or successor is None:
            await _end_family(work, session, origin)
        else:
            if verdict is Verdict.ROTATE:
                await work.sessions.mark_used(token.id, work.now)
                await store_refresh_token(context, work, session, successor, parent_id=token.id)
            await work.sessions.touch(session, address=origin.address, device=origin.device, now=work.now)
    if verdict is Verdict.REUSED or successor is None:
        raise RefreshTokenReused("Somebody may have copied it. Log in again, and change your password if it was not you.")
    if not user.active:
        raise AccountSuspended("Write to support to have it opened again.")
    return await tokens_of(context, user, session, successor)


async def _find(work: AuthUnitOfWork, secret: str) -> tuple[RefreshToken, Session, User]:
    """The token, read again once its session is locked: another exchange may have used it meanwhile."""
    token_hash = hash_of(secret)
    token = await work.sessions.find_token(token_hash)
    session = await work.sessions.find(token.session_id, lock=True) if token else None
    token = await work.sessions.find_token(token_hash) if session else None
    user = await work.users.find(session.user_id) if session else None
    if token is None or session is None or user is None:
        raise RefreshTokenInvalid("This is not a refresh token of ours, or it is too old. Log in again.")
    return token, session, user


def _successor(context: Context, secret: str, child: RefreshToken | None) -> str | None:
    """What comes after `secret`: the child it was answered with, if there is one and we can still tell."""
    candidates = successors_of(context, secret)
    if child is None:
        return candidates[0]
    return next((candidate for candidate in candidates if hash_of(candidate) == child.token_hash), None)


async def _end_family(work: AuthUnitOfWork, session: Session, origin: Origin) -> None:
    await end_sessions(work, session.user_id, reason="reuse", origin=origin, actor_id=None, only=session.id)
    work.outbox.publish(SessionReuseDetected(user_id=session.user_id, session_id=session.id), aggregate_id=session.user_id)
    await work.audit("session.reuse_detected", origin=origin, actor_id=None, subject_id=session.id)
