"""One's own second factors."""

from fastapi import APIRouter, Response
from pydantic import Field

from services.auth.api.callers import Caller, SessionUser, SteppedUpCaller
from services.auth.api.fields import MobilePhone
from services.auth.api.origin import RequestOrigin
from services.auth.api.second_step import Code
from services.auth.commands import change_factors as changing
from services.auth.context import Ctx
from services.auth.domain.second_factor import CodeMethod, MfaMethod, SecondFactor
from services.auth.domain.sent_code import CODE_LIFETIME, SentCode, masked
from services.auth.domain.totp import otpauth_uri, secret_text
from services.auth.qr_code import qr_svg
from services.auth.queries.factors import factors_of
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/auth/mfa", tags=["second factors"])


class FactorView(View):
    """A second factor with codes."""

    method: CodeMethod
    sent_to: str | None = Field(description="The number that codes go to, masked; with `email` it is your address")
    created_at: Instant
    last_used_at: Instant | None


class FactorsView(View):
    """Your second factors. With at least one, every login takes two steps."""

    enabled: bool
    methods: list[MfaMethod] = Field(description="What a second step can be done with, best first")
    factors: list[FactorView]
    passkeys: int = Field(description="How many; GET /v1/auth/passkeys lists them")
    recovery_codes_left: int


class AppCodesView(View):
    """For an authenticator app: scan the picture, or type the secret."""

    secret: str = Field(description="Base32", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    otpauth_uri: str
    qr_svg: str = Field(description="`otpauth_uri` as a picture: an SVG document")


class SmsBody(Body):
    """The number that codes are to go to; without it that of your profile."""

    phone: MobilePhone | None = Field(None, examples=["+254712345678"])


class SentView(View):
    """A code is on its way."""

    sent_to: str = Field(description="Where, masked", examples=["+254•••678"])
    expires_in: int = Field(description="Seconds that the code is good for", examples=[600])


class ConfirmBody(Body):
    """The first code."""

    code: Code


class RecoveryCodesView(View):
    """Codes that each replace a second factor once. They are shown only now: write them down."""

    recovery_codes: list[str] = Field(description="Empty when you have some already", examples=[["ABCD-EFGH-JKLM-NPQR"]])


def _member(caller: SessionUser) -> changing.Member:
    return changing.Member(caller.id, caller.session_id)


def sent_view(sent: SentCode) -> SentView:
    """What the person is told of a code on its way."""
    return SentView(sent_to=masked(sent.sent_to), expires_in=int(CODE_LIFETIME.total_seconds()))


@router.get("")
async def get_factors(context: Ctx, caller: Caller) -> FactorsView:
    """Your second factors."""
    factors = await factors_of(context, caller.id)

    def view(factor: SecondFactor) -> FactorView:
        return FactorView(
            method=factor.method,
            sent_to=masked(factor.number) if factor.number else masked(caller.user.email) if factor.method == "email" else None,
            created_at=factor.created_at,
            last_used_at=factor.last_used_at,
        )

    return FactorsView(
        enabled=factors.any,
        methods=list(factors.methods),
        factors=[view(factor) for factor in factors.codes],
        passkeys=factors.passkeys + factors.suspected_passkeys,
        recovery_codes_left=factors.recovery_codes_left,
    )


@router.post("/totp")
async def begin_app_codes(context: Ctx, caller: SteppedUpCaller, response: Response) -> AppCodesView:
    """Begin to use an authenticator app: the secret is shown only now. It counts once you have confirmed it with a code."""
    user, secret = await changing.begin_app_codes(context, _member(caller))
    uri = otpauth_uri(secret, account=user.email, issuer="Lendery")
    response.headers["Cache-Control"] = "no-store"
    return AppCodesView(secret=secret_text(secret), otpauth_uri=uri, qr_svg=qr_svg(uri))


@router.post("/sms", status_code=202)
async def begin_sms_codes(context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin, body: SmsBody | None = None) -> SentView:
    """Begin to get codes by SMS: one is sent to the number, and confirms it."""
    number = body.phone if body else None
    return sent_view(await changing.begin_sent_codes(context, _member(caller), "sms", number, origin))


@router.post("/email", status_code=202)
async def begin_email_codes(context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin) -> SentView:
    """Begin to get codes by e-mail: one is sent to your confirmed address."""
    return sent_view(await changing.begin_sent_codes(context, _member(caller), "email", None, origin))


@router.post("/{method}/confirm")
async def confirm_factor(
    method: CodeMethod, body: ConfirmBody, context: Ctx, caller: Caller, origin: RequestOrigin, response: Response
) -> RecoveryCodesView:
    """Confirm a second factor with its first code. Every other session ends. Refresh your token afterwards."""
    codes = await changing.confirm_factor(context, _member(caller), method, body.code.get_secret_value(), origin)
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodesView(recovery_codes=codes)


@router.post("/recovery-codes")
async def replace_recovery_codes(
    context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin, response: Response
) -> RecoveryCodesView:
    """Get new recovery codes; those that you have stop working, and every other session ends."""
    codes = await changing.replace_recovery_codes(context, _member(caller), origin)
    response.headers["Cache-Control"] = "no-store"
    return RecoveryCodesView(recovery_codes=codes)


@router.delete("/{method}", status_code=204)
async def remove_factor(method: CodeMethod, context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin) -> None:
    """Remove a second factor. Every other session ends; with the last factor your recovery codes go too."""
    await changing.remove_factor(context, _member(caller), method, origin)
