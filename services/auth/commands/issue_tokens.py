"""What a client holds: a short-lived access token that all services verify, and a refresh token that works once."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.session import RefreshToken, Session
from services.auth.domain.user import User
from services.auth.store.second_factors import SecondFactors
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.identity.cookies import csrf_digest
from shared.identity.tokens import sign_token
from shared.ids import new_id

REFRESH_PREFIX = "lrt_"  # lets secret scanners recognise one


@dataclass(frozen=True)
class Tokens:
    """The pair; `expires_in_seconds` is about the access token, `session_seconds` about how long it can be renewed.

    With a `csrf_token` the session is one of cookies, and that is what proves that a request is from our own pages.
    """

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    session_seconds: int = 0
    csrf_token: str | None = None


async def tokens_of(context: Context, user: User, session: Session, refresh_secret: str) -> Tokens:
    """What the client of `session` gets, at the login and at each refresh."""
    access_token, expires_in_seconds = await access_token_for(context, user, session)
    return Tokens(
        access_token,
        refresh_secret,
        expires_in_seconds,
        session_seconds=int((session.expires_at - context.clock.now()).total_seconds()),
        csrf_token=csrf_tokens_of(context, session)[0] if session.carrier == "cookie" else None,
    )


async def access_token_for(context: Context, user: User, session: Session) -> tuple[str, int]:
    """A signed access token, and how many seconds it is good for: never longer than its session."""
    key = await context.key_ring.signing()
    async with context.read() as connection:
        factors = await SecondFactors(connection, context.vault).of(user.id)
    now = context.clock.now()
    issued_at = int(now.timestamp())
    lifetime = min(context.settings.auth_access_token_seconds, int((session.expires_at - now).total_seconds()))
    claims = {
        "iss": context.settings.token_issuer,
        "aud": context.settings.token_audience,
        "sub": str(user.id),
        "jti": str(new_id()),
        "sid": str(session.id),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + lifetime,
        "auth_time": int(session.authenticated_at.timestamp()),
        "amr": list(session.methods),
        "mfa": factors.any,
        "step_up_methods": list(factors.step_up_methods(has_password=user.password_hash is not None)),
        "roles": list(user.roles),
        "scope": "",
        "email_verified": context.email_verified(user),
    }
    if session.mfa_at is not None:
        claims["mfa_time"] = int(session.mfa_at.timestamp())
    if session.carrier == "cookie":
        claims["csrf"] = csrf_digest(csrf_tokens_of(context, session)[0])
    return sign_token(claims, private_key_pem=key.private_key_pem, key_id=key.id), lifetime


def csrf_tokens_of(context: Context, session: Session) -> list[str]:
    """The CSRF token of a session, the same for as long as it lives, so that several tabs can use it. One for each encryption
    key there is, the active one first."""
    return [context.vault.derive("csrf token", session.id.bytes, key_id=key_id).hex() for key_id in context.vault.key_ids]


def new_refresh_secret() -> str:
    """The first refresh token of a session."""
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def successors_of(context: Context, refresh_secret: str) -> list[str]:
    """What follows a refresh token: computed from it, so that a repeated exchange gives the same answer and the answer
    need not be stored. One candidate for each encryption key there is, the active one first."""
    return [
        REFRESH_PREFIX + context.vault.derive("refresh token", refresh_secret.encode(), key_id=key_id).hex()
        for key_id in context.vault.key_ids
    ]


async def store_refresh_token(
    context: Context, work: AuthUnitOfWork, session: Session, secret: str, *, parent_id: UUID | None = None
) -> None:
    """Remember a refresh token, as a hash. It never outlives its session."""
    lifetime = timedelta(days=context.settings.auth_refresh_token_days)
    await work.sessions.add_token(
        RefreshToken(
            id=new_id(),
            session_id=session.id,
            parent_id=parent_id,
            token_hash=hash_of(secret),
            expires_at=min(work.now + lifetime, session.expires_at),
        )
    )
