"""Reads of accounts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.problems import SessionEnded, UserNotFound
from services.auth.domain.user import User
from services.auth.store.kyc import KycSubmissions
from services.auth.store.sessions import Sessions
from services.auth.store.users import Users
from shared.http.paging import PageRequest


async def find_user(context: Context, user_id: UUID) -> User:
    """The account. Raises `UserNotFound`."""
    async with context.read() as connection:
        user = await Users(connection, context.vault).find(user_id)
    if user is None:
        raise UserNotFound
    return user


async def find_caller(context: Context, user_id: UUID, session_id: UUID | None) -> User:
    """The account of an access token whose session still lives. Raises `SessionEnded`.

    Access tokens are good for minutes after their session has ended; the auth service knows better than they do.
    """
    async with context.read() as connection:
        session = await Sessions(connection, context.vault).find(session_id) if session_id else None
        user = await Users(connection, context.vault).find(user_id) if session and session.user_id == user_id else None
    if session is None or user is None or not session.alive(context.clock.now()) or not user.active:
        raise SessionEnded("Log in again.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return user


async def kyc_status_of(context: Context, user_id: UUID) -> str:
    """The status of a person's identity check."""
    return (await kyc_statuses_of(context, [user_id]))[user_id]


async def kyc_statuses_of(context: Context, user_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The status of each person's identity check."""
    async with context.read() as connection:
        found = await KycSubmissions(connection, context.vault).statuses_of(user_ids)
    return {user_id: found.get(user_id, "unsubmitted") for user_id in user_ids}


async def list_users(
    context: Context, page: PageRequest, *, email: str | None, role: str | None, status: str | None
) -> Sequence[User]:
    """Accounts, newest first; one more than the page holds."""
    async with context.read() as connection:
        store = Users(connection, context.vault)
        return await store.page(after=page.after, count=page.fetch, email=email, role=role, status=status)
