"""Reads of second factors."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.passkey import Passkey
from services.auth.domain.problems import SessionEnded
from services.auth.domain.second_factor import Factors, StepUpMethod
from services.auth.domain.user import User
from services.auth.store.passkeys import Passkeys
from services.auth.store.second_factors import SecondFactors
from services.auth.store.sessions import Sessions
from shared.identity.principal import fresh_enough


async def factors_of(context: Context, user_id: UUID) -> Factors:
    """What the account has."""
    async with context.read() as connection:
        return await SecondFactors(connection, context.vault).of(user_id)


async def passkeys_of(context: Context, user_id: UUID) -> Sequence[Passkey]:
    """The person's passkeys, newest first."""
    async with context.read() as connection:
        return await Passkeys(connection).of(user_id)


async def missing_proof(context: Context, user: User, session_id: UUID) -> tuple[StepUpMethod, ...] | None:
    """With which methods the owner must prove to be there before going on; None when that was done lately.

    Looked up and not read from the token: a factor may have been added or removed since it was signed.
    """
    async with context.read() as connection:
        session = await Sessions(connection, context.vault).find(session_id)
        factors = await SecondFactors(connection, context.vault).of(user.id)
    if session is None:
        raise SessionEnded("Log in again.")
    proved_at = session.mfa_at if factors.any else session.authenticated_at
    if fresh_enough(proved_at, context.clock.now()):
        return None
    return factors.step_up_methods(has_password=user.password_hash is not None)
