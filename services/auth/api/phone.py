"""Confirming one's telephone number."""

from typing import Literal

from fastapi import APIRouter

from services.auth.api.callers import Caller
from services.auth.api.factors import SentView, SmsBody, sent_view
from services.auth.api.origin import RequestOrigin
from services.auth.api.second_step import Code
from services.auth.commands import verify_phone as verifying
from services.auth.context import Ctx
from shared.http.schemas import Body, View

router = APIRouter(prefix="/v1/auth/phone", tags=["account"])


class ConfirmPhoneBody(Body):
    """The code that came by SMS."""

    code: Code


class PhoneView(View):
    """The number that is confirmed now."""

    phone: str
    phone_verified: Literal[True] = True


@router.post("/verify", status_code=202)
async def send_phone_code(context: Ctx, caller: Caller, origin: RequestOrigin, body: SmsBody | None = None) -> SentView:
    """Have a code sent to a number, or to that of your profile. An earlier code stops working."""
    return sent_view(await verifying.send_phone_code(context, caller.id, body.phone if body else None, origin))


@router.post("/verify/confirm")
async def verify_phone(body: ConfirmPhoneBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> PhoneView:
    """Confirm the number with the code that was sent to it. It becomes the number of your profile."""
    user = await verifying.verify_phone(context, caller.id, body.code.get_secret_value(), origin)
    return PhoneView(phone=user.phone or "")
