"""Make an API client."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.api_client import SECRET_PREFIX, ApiClient, check_scopes
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import TooManyApiClients, UserNotFound
from shared.ids import new_id
from shared.problems import FieldError, InvalidRequest


def new_client_secret() -> str:
    """A secret of 256 random bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def refuse_past(expires_at: datetime | None, now: datetime) -> None:
    """Raises `InvalidRequest` for an end that is over."""
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("The end must be later than now.", errors=[FieldError("expires_at", "must be later than now")])


async def create_api_client(
    context: Context,
    owner_id: UUID,
    *,
    name: str,
    scopes: Sequence[str],
    requests_per_minute: int | None,
    expires_at: datetime | None,
    origin: Origin,
) -> tuple[ApiClient, str]:
    """The client, and its secret, which is nowhere else.

    Raises `ScopeNotAllowed`, `TooManyApiClients` or `InvalidRequest`.
    """
    secret = new_client_secret()
    async with context.unit_of_work() as work:
        owner = await work.users.find(owner_id, lock=True)
        if owner is None:
            raise UserNotFound
        refuse_past(expires_at, work.now)
        allowed = check_scopes(tuple(scopes), owner.roles)
        if await work.api_clients.count_of(owner_id) >= context.settings.auth_api_clients_max:
            raise TooManyApiClients(f"Delete one that is not used: there may be {context.settings.auth_api_clients_max}.")
        client = ApiClient(
            id=new_id(),
            owner_id=owner_id,
            name=name,
            scopes=allowed,
            status="active",
            grant_id=new_id(),
            requests_per_minute=requests_per_minute,
            secret_hash=hash_of(secret),
            created_at=work.now,
            updated_at=work.now,
            expires_at=expires_at,
        )
        await work.api_clients.add(client)
        await work.audit(
            "api_client.created",
            origin=origin,
            actor_id=owner_id,
            subject_id=client.id,
            after={"scopes": list(client.scopes)},
        )
    return client, secret
