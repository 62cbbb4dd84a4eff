"""API clients: programs of partners that act for the person who made them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from services.auth.api.callers import Caller
from services.auth.api.fields import PersonName
from services.auth.api.origin import RequestOrigin
from services.auth.commands import change_api_client as changing
from services.auth.commands import create_api_client as creating
from services.auth.context import Ctx
from services.auth.domain.api_client import ApiClient, ClientStatus
from services.auth.queries import api_clients as queries
from shared.http.auth import require_step_up
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, View
from shared.identity.scopes import SCOPES

router = APIRouter(prefix="/v1/api-clients", tags=["api clients"])

_STEP_UP = [Depends(require_step_up)]
_MAX_OVERLAP_SECONDS = 30 * 24 * 3600

ClientName = Annotated[PersonName, Field(description="What you call it", examples=["Accounting export"])]
Scope = Annotated[str, Field(max_length=64, json_schema_extra={"enum": list(SCOPES)}, examples=["wallets:read"])]
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=50, description="; ".join(f"`{name}`: {meaning}" for name, meaning in SCOPES.items())),
]
RequestsPerMinute = Annotated[
    int, Field(strict=True, ge=1, le=6000, description="A limit of its own; null for the platform's", examples=[120])
]


class CreateApiClientBody(Body):
    """A new client."""

    name: ClientName
    scopes: Scopes
    requests_per_minute: RequestsPerMinute | None = None
    expires_at: Instant | None = Field(None, description="When it stops working; null for never")


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


_LEFT_OUT: Any = Field(default=None, json_schema_extra=_without_default)


class ChangeApiClientBody(Body):
    """What is to change; fields left out stay."""

    name: ClientName | SkipJsonSchema[None] = _LEFT_OUT
    scopes: Scopes | SkipJsonSchema[None] = _LEFT_OUT
    status: ClientStatus | SkipJsonSchema[None] = _LEFT_OUT
    requests_per_minute: RequestsPerMinute | None = None
    expires_at: Instant | None = None

    @field_validator("name", "scopes", "status", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be removed; leave it out to keep it")
        return value

    @model_validator(mode="after")
    def _needs_a_field(self) -> "ChangeApiClientBody":
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        return self

    def changes(self) -> Any:
        """The fields that were given."""
        return self.model_dump(exclude_unset=True)


class RotateSecretBody(Body):
    """How long the present secret works on."""

    overlap_seconds: int | None = Field(
        None,
        strict=True,
        ge=0,
        le=_MAX_OVERLAP_SECONDS,
        description="Without it a day. 0 when the secret has leaked: then the client's tokens end as well",
    )


class ApiClientView(View):
    """An API client."""

    id: UUID
    client_id: UUID = Field(description="The same as `id`, as OAuth calls it")
    name: str
    scopes: list[str]
    status: ClientStatus
    requests_per_minute: int | None
    created_at: Instant
    updated_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="When it got a token last")
    last_used_address: str | None
    previous_secret_expires_at: Instant | None = Field(description="Until when the secret before the last rotation works")


class ApiClientWithSecretView(ApiClientView):
    """An API client with its secret, which is shown this once."""

    client_secret: str = Field(description="Keep it; we have only its hash", examples=["lcs_…"])


def _values(client: ApiClient) -> dict[str, Any]:
    return {name: getattr(client, name) for name in ApiClientView.model_fields if name != "client_id"} | {"client_id": client.id}


def _with_secret(client: ApiClient, secret: str, response: Response) -> ApiClientWithSecretView:
    response.headers["Cache-Control"] = "no-store"
    return ApiClientWithSecretView(**_values(client), client_secret=secret)


@router.post("", status_code=201, dependencies=_STEP_UP)
async def create_api_client(
    body: CreateApiClientBody, context: Ctx, caller: Caller, origin: RequestOrigin, response: Response
) -> ApiClientWithSecretView:
    """Make a client for a program of yours or of a partner: it acts for you, within its scopes.

    It gets its access tokens from `POST /v1/auth/token`. The secret is shown this once. Needs a fresh proof of who you are.
    """
    client, secret = await creating.create_api_client(
        context,
        caller.id,
        name=body.name,
        scopes=body.scopes,
        requests_per_minute=body.requests_per_minute,
        expires_at=body.expires_at,
        origin=origin,
    )
    return _with_secret(client, secret, response)


@router.get("")
async def list_api_clients(context: Ctx, caller: Caller, paging: Paging) -> Page[ApiClientView]:
    """Your API clients, newest first."""
    rows = await queries.list_api_clients(context, paging, caller.id)
    return paging.page(rows, lambda client: client.id, lambda client: ApiClientView(**_values(client)))


@router.get("/{client_id}")
async def get_api_client(client_id: UUID, context: Ctx, caller: Caller) -> ApiClientView:
    """One of your API clients."""
    return ApiClientView(**_values(await queries.find_api_client(context, caller.id, client_id)))


@router.patch("/{client_id}", dependencies=_STEP_UP)
async def change_api_client(
    client_id: UUID, body: ChangeApiClientBody, context: Ctx, caller: Caller, origin: RequestOrigin
) -> ApiClientView:
    """Rename a client, change its scopes, limit or end, or disable it.

    Disabling it or taking a scope away ends its tokens within seconds. Needs a fresh proof of who you are.
    """
    client = await changing.change_api_client(context, caller.user, client_id, body.changes(), origin)
    return ApiClientView(**_values(client))


@router.post("/{client_id}/rotate-secret", dependencies=_STEP_UP)
async def rotate_client_secret(
    client_id: UUID,
    context: Ctx,
    caller: Caller,
    origin: RequestOrigin,
    response: Response,
    body: RotateSecretBody | None = None,
) -> ApiClientWithSecretView:
    """Give a client a new secret. The present one works on for a while, so that nothing stands still meanwhile.

    Needs a fresh proof of who you are.
    """
    overlap_seconds = body.overlap_seconds if body else None
    client, secret = await changing.rotate_client_secret(
        context, caller.id, client_id, overlap_seconds=overlap_seconds, origin=origin
    )
    return _with_secret(client, secret, response)


@router.delete("/{client_id}", status_code=204, dependencies=_STEP_UP)
async def delete_api_client(client_id: UUID, context: Ctx, caller: Caller, origin: RequestOrigin) -> None:
    """Delete a client; its tokens end within seconds. Needs a fresh proof of who you are."""
    await changing.delete_api_client(context, caller.id, client_id, origin)
