"""Change, rotate or delete an API client. What takes rights away also ends the tokens that were given out."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from services.auth.commands.create_api_client import new_client_secret, refuse_past
from services.auth.commands.end_session import end_grants
from services.auth.context import Context
from services.auth.domain.api_client import ApiClient, ClientStatus, check_scopes
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import ApiClientNotFound
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork


class ClientChanges(TypedDict, total=False):
    """The fields that were given; the others stay."""

    name: str
    scopes: list[str]
    status: ClientStatus
    requests_per_minute: int | None
    expires_at: datetime | None


async def change_api_client(context: Context, owner: User, client_id: UUID, changes: ClientChanges, origin: Origin) -> ApiClient:
    """The client as it is now. Raises `ApiClientNotFound`, `ScopeNotAllowed` or `InvalidRequest`."""
    async with context.unit_of_work() as work:
        client = await _find(work, owner.id, client_id)
        changed = replace(client, **{name: value for name, value in changes.items() if name != "scopes"})  # type: ignore[arg-type]
        if "scopes" in changes:
            changed = replace(changed, scopes=check_scopes(tuple(changes["scopes"]), owner.roles))
        if "expires_at" in changes:
            refuse_past(changed.expires_at, work.now)
        if changed == client:
            return client
        changed = replace(changed, updated_at=work.now)
        await work.api_clients.save(changed)
        if changed.status != "active" or not set(client.scopes) <= set(changed.scopes):
            await end_grants(work, owner.id, [changed], reason="revoked")
        await work.audit(
            "api_client.changed",
            origin=origin,
            actor_id=owner.id,
            subject_id=client_id,
            before=_shown(client),
            after=_shown(changed),
        )
        return changed


async def rotate_client_secret(
    context: Context, owner_id: UUID, client_id: UUID, *, overlap_seconds: int | None, origin: Origin
) -> tuple[ApiClient, str]:
    """The client and its new secret. The old one works for the overlap; with none, its tokens end too: it has leaked.

    Raises `ApiClientNotFound`.
    """
    secret = new_client_secret()
    default = timedelta(hours=context.settings.auth_api_client_overlap_hours)
    overlap = default if overlap_seconds is None else timedelta(seconds=overlap_seconds)
    async with context.unit_of_work() as work:
        client = await _find(work, owner_id, client_id)
        rotated = client.rotated(hash_of(secret), work.now, overlap)
        await work.api_clients.save(rotated)
        if not overlap:
            await end_grants(work, owner_id, [rotated], reason="revoked")
        await work.audit(
            "api_client.secret_rotated",
            origin=origin,
            actor_id=owner_id,
            subject_id=client_id,
            after={"overlap_seconds": int(overlap.total_seconds())},
        )
        return rotated, secret


async def delete_api_client(context: Context, owner_id: UUID, client_id: UUID, origin: Origin) -> None:
    """Delete a client; its tokens end within seconds. Raises `ApiClientNotFound`."""
    async with context.unit_of_work() as work:
        client = await _find(work, owner_id, client_id)
        await end_grants(work, owner_id, [client], reason="revoked")
        await work.api_clients.delete(client_id)
        await work.audit("api_client.deleted", origin=origin, actor_id=owner_id, subject_id=client_id, before=_shown(client))


async def _find(work: AuthUnitOfWork, owner_id: UUID, client_id: UUID) -> ApiClient:
    client = await work.api_clients.find(client_id, lock=True)
    if client is None or client.owner_id != owner_id:
        raise ApiClientNotFound("Look at the list of your API clients.")
    return client


def _shown(client: ApiClient) -> dict[str, object]:
    expires_at = client.expires_at.isoformat() if client.expires_at else None
    return {
        "scopes": list(client.scopes),
        "status": client.status,
        "requests_per_minute": client.requests_per_minute,
        "expires_at": expires_at,
    }
