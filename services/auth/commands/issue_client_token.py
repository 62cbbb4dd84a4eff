"""An access token for an API client, by its id and secret (RFC 6749, 4.4)."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.api_client import ApiClient
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import ClientRefused
from services.auth.domain.user import User
from shared.identity.tokens import sign_token
from shared.ids import new_id

_REFUSED = "Check the id and the secret, that the client is active and has not expired, and that its owner's account is open."


@dataclass(frozen=True)
class ClientToken:
    """The token and what it is good for. There is no refresh token: the secret gets the next one."""

    access_token: str
    expires_in_seconds: int
    scopes: tuple[str, ...]


async def issue_client_token(context: Context, client_id: str, secret: str, scope: str | None, origin: Origin) -> ClientToken:
    """A token that acts for the owner of the client, with `scope` of its scopes or all of them.

    Raises `ClientRefused`, or `ScopeNotAllowed`.
    """
    secret_hash, known = hash_of(secret), _parsed(client_id)
    async with context.unit_of_work() as work:
        client = await work.api_clients.find(known) if known else None
        owner = await work.users.find(client.owner_id) if client else None
        if client is None or owner is None:
            raise ClientRefused(_REFUSED)
        good = client.knows(secret_hash, work.now) and client.usable(work.now) and owner.active
        if good:
            scopes = client.granted(scope)
            await work.api_clients.touch(client.id, address=origin.address, now=work.now)
        else:
            subject = client.id
            await work.audit("api_client.refused", origin=origin, actor_id=None, actor_kind="client", subject_id=subject)
    if not good:
        raise ClientRefused(_REFUSED)
    return await _signed(context, client, owner, scopes)


async def _signed(context: Context, client: ApiClient, owner: User, scopes: tuple[str, ...]) -> ClientToken:
    key = await context.key_ring.signing()
    now = context.clock.now()
    issued_at = int(now.timestamp())
    lifetime = context.settings.auth_access_token_seconds
    if client.expires_at is not None:
        lifetime = max(min(lifetime, int((client.expires_at - now).total_seconds())), 1)
    claims = {
        "iss": context.settings.token_issuer,
        "aud": context.settings.token_audience,
        "sub": str(owner.id),
        "jti": str(new_id()),
        "client_id": str(client.id),
        "grant_id": str(client.grant_id),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + lifetime,
        "roles": ["partner"],
        "scope": " ".join(scopes),
        "email_verified": context.email_verified(owner),
    }
    if client.requests_per_minute is not None:
        claims["requests_per_minute"] = client.requests_per_minute
    token = sign_token(claims, private_key_pem=key.private_key_pem, key_id=key.id)
    return ClientToken(token, lifetime, scopes)


def _parsed(client_id: str) -> UUID | None:
    try:
        return UUID(client_id)
    except ValueError:
        return None
