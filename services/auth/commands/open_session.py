"""Open a session for somebody who has proved enough."""

from datetime import timedelta

from services.auth.commands.issue_tokens import store_refresh_token
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.session import Session
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id


async def open_session(
    context: Context,
    work: AuthUnitOfWork,
    user: User,
    refresh_secret: str,
    origin: Origin,
    *,
    methods: tuple[str, ...],
    mfa: bool = False,
) -> Session:
    """A new session of `user`, with its first refresh token. `mfa` says that a second factor was among the `methods`.

    Whoever has checked a first step only asks `begin_second_step` before.
    """
    session = Session(
        id=new_id(),
        user_id=user.id,
        device=origin.device,
        address=origin.address,
        methods=methods,
        authenticated_at=work.now,
        last_used_at=work.now,
        expires_at=work.now + timedelta(days=context.settings.auth_session_days),
        mfa_at=work.now if mfa else None,
        carrier=origin.carrier,
    )
    await work.sessions.add(session)
    await store_refresh_token(context, work, session, refresh_secret)
    await work.audit("session.opened", origin=origin, actor_id=user.id, subject_id=session.id, after={"methods": list(methods)})
    return session
