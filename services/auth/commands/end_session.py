"""Log out: of the present session, of one named by its refresh token, or of another device's."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import SessionNotFound


async def end_session(context: Context, user_id: UUID, session_id: UUID, origin: Origin) -> None:
    """End a session of `user_id`; ending it again changes nothing. Raises `SessionNotFound`."""
    async with context.unit_of_work() as work:
        session = await work.sessions.find(session_id, lock=True)
        if session is None or session.user_id != user_id:
            raise SessionNotFound("Look at the list of your sessions.")
        if await work.sessions.end(session_id, reason="logout", now=work.now):
            await work.audit("session.ended", origin=origin, actor_id=user_id, subject_id=session_id)


async def end_session_of_token(context: Context, refresh_secret: str, origin: Origin) -> None:
    """End the session that a refresh token belongs to; nothing happens when there is none."""
    async with context.unit_of_work() as work:
        token = await work.sessions.find_token(hash_of(refresh_secret))
        session = await work.sessions.find(token.session_id, lock=True) if token else None
        if session and await work.sessions.end(session.id, reason="logout", now=work.now):
            await work.audit("session.ended", origin=origin, actor_id=session.user_id, subject_id=session.id)
