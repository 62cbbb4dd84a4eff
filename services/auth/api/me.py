"""One's own profile."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from services.auth.api.callers import Caller
from services.auth.api.fields import Language, PersonName, Phone, TimeZone
from services.auth.api.origin import RequestOrigin
from services.auth.commands import update_profile as updating
from services.auth.context import Context, Ctx
from services.auth.domain.kyc import KycStatus
from services.auth.domain.user import Status, User
from services.auth.queries.users import kyc_status_of
from shared.http.schemas import Body, CurrencyCode, Instant, View

router = APIRouter(prefix="/v1/me", tags=["me"])


class MeView(View):
    """Your account."""

    id: UUID
    email: str
    email_verified: bool
    full_name: str
    phone: str | None
    phone_verified: bool
    language: str
    time_zone: str
    home_currency: str
    roles: list[str]
    status: Status
    kyc_status: KycStatus
    created_at: Instant
    updated_at: Instant


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


LEFT_OUT: Any = Field(default=None, json_schema_extra=_without_default)
"""The value of a field that was left out; never one that was given."""


class UpdateMeBody(Body):
    """What is to change; fields left out stay. `phone` can be null, which removes it."""

    full_name: PersonName | SkipJsonSchema[None] = LEFT_OUT
    phone: Phone | None = None
    language: Language | SkipJsonSchema[None] = LEFT_OUT
    time_zone: TimeZone | SkipJsonSchema[None] = LEFT_OUT
    home_currency: CurrencyCode | SkipJsonSchema[None] = LEFT_OUT

    @field_validator("full_name", "language", "time_zone", "home_currency", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be removed; leave it out to keep it")
        return value

    @model_validator(mode="after")
    def _needs_a_field(self) -> "UpdateMeBody":
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        return self

    def changes(self) -> Any:
        """The fields that were given."""
        return self.model_dump(exclude_unset=True)


async def me_view(context: Context, user: User) -> MeView:
    """The account as its owner sees it."""
    return MeView(
        id=user.id,
        email=user.email,
        email_verified=context.email_verified(user),
        full_name=user.full_name,
        phone=user.phone,
        phone_verified=user.phone_verified_at is not None,
        language=user.language,
        time_zone=user.time_zone,
        home_currency=user.home_currency,
        roles=list(user.roles),
        status=user.status,
        kyc_status=await kyc_status_of(context, user.id),
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


@router.get("")
async def get_me(context: Ctx, caller: Caller) -> MeView:
    """Your account."""
    return await me_view(context, caller.user)


@router.patch("")
async def update_me(body: UpdateMeBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> MeView:
    """Change your profile."""
    user = await updating.update_profile(context, caller.id, body.changes(), origin)
    return await me_view(context, user)
