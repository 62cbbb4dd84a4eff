"""Signing on with another OpenID provider.

The app sends the browser to `authorize` and gets it back at an address of its own, with a one-time code that it exchanges
for a session: a token never is in an address.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from services.auth.api.callers import Caller
from services.auth.api.fields import Secret
from services.auth.api.origin import LoginOrigin, RequestOrigin
from services.auth.api.second_step import MfaRequiredView, mfa_required_view
from services.auth.api.session_answer import SessionView, session_answer
from services.auth.commands.begin_sign_on import ATTEMPT_SECONDS, Departure
from services.auth.commands.begin_sign_on import begin_sign_on as begin
from services.auth.commands.complete_sign_on import Return
from services.auth.commands.complete_sign_on import complete_sign_on as complete
from services.auth.commands.exchange_sign_on_code import exchange_sign_on_code as exchange
from services.auth.commands.finish_login import SecondStep
from services.auth.context import Context, Ctx
from services.auth.domain.problems import SignOnInvalid
from shared.http.auth import require_step_up
from shared.http.schemas import Body, View

router = APIRouter(prefix="/v1/auth/oauth", tags=["single sign-on"])

_SEE_OTHER = 303
_CHALLENGE = r"^[A-Za-z0-9_-]{43}$"

ReturnTo = Annotated[
    str | None,
    Query(max_length=1000, description="Where to go on afterwards: a path, or an address of ours", examples=["/signed-on"]),
]
Provider = Annotated[str, Field(max_length=64)]
Parameter = Annotated[str | None, Query(max_length=4000)]


class ProviderView(View):
    """Somebody to sign on with."""

    name: str = Field(description="For the address: /v1/auth/oauth/{name}/authorize", examples=["google"])
    label: str = Field(description="What people call it", examples=["Google"])


class ProvidersView(View):
    """Everybody to sign on with."""

    items: list[ProviderView]


class LinkBody(Body):
    """Where to go on afterwards."""

    return_to: str | None = Field(None, max_length=1000, description="A path, or an address of ours")


class DepartureView(View):
    """Where to send the browser."""

    authorize_url: str


class ExchangeBody(Body):
    """The one-time code from the address that the browser was sent back to."""

    code: Secret
    code_verifier: Secret | None = Field(None, description="When `authorize` was given a `code_challenge`")


def _cookie_name(context: Context) -> str:
    return f"{'__Host-' if _secure(context) else ''}lendery_sign_on"


def _secure(context: Context) -> bool:
    return context.settings.public_url.startswith("https://")


def _remember(context: Context, response: Response, departure: Departure) -> None:
    """Bind the sign-on to this browser. `Lax`, because the provider's redirect comes from another site."""
    response.set_cookie(
        _cookie_name(context),
        departure.browser_secret,
        max_age=ATTEMPT_SECONDS,
        path="/",
        secure=_secure(context),
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"


@router.get("/providers")
async def list_sign_on_providers(context: Ctx) -> ProvidersView:
    """Who can be signed on with."""
    items = [ProviderView(name=name, label=each.settings.shown_as) for name, each in context.openid_providers.items()]
    return ProvidersView(items=items)


@router.get("/{provider}/authorize", status_code=_SEE_OTHER, response_class=RedirectResponse)
async def begin_sign_on(
    provider: Provider,
    context: Ctx,
    return_to: ReturnTo = None,
    code_challenge: Annotated[
        str | None,
        Query(pattern=_CHALLENGE, description="For apps that share no cookies with the browser: S256 of a verifier (RFC 7636)"),
    ] = None,
) -> RedirectResponse:
    """Send the browser here to sign on with a provider.

    It comes back at `return_to` with `sso_code`, for POST /v1/auth/oauth/exchange, or with `sso_error`: `access_denied`,
    `provider_unavailable`, `provider_answer_invalid`, `email_missing`, `email_unverified`, `account_unconfirmed`,
    `confirmation_sent` (the address has an account; its owner got an e-mail to confirm the link), `account_suspended`,
    `identity_taken`.
    """
    departure = await begin(context, provider, return_to=return_to, challenge=code_challenge)
    response = RedirectResponse(departure.url, _SEE_OTHER)
    _remember(context, response, departure)
    return response


@router.post("/{provider}/link", dependencies=[Depends(require_step_up)])
async def link_provider(
    provider: Provider, context: Ctx, caller: Caller, response: Response, body: LinkBody | None = None
) -> DepartureView:
    """Begin to link an identity of a provider to your account; send the browser to the address in the answer.

    It comes back with `sso=linked` or `sso_error`. Needs a fresh proof of who you are.
    """
    return_to = body.return_to if body else None
    departure = await begin(context, provider, return_to=return_to, for_user_id=caller.id)
    _remember(context, response, departure)
    return DepartureView(authorize_url=departure.url)


@router.get("/{provider}/callback", status_code=_SEE_OTHER, response_class=RedirectResponse)
async def complete_sign_on(
    provider: Provider,
    request: Request,
    context: Ctx,
    origin: RequestOrigin,
    state: Parameter = None,
    code: Parameter = None,
    error: Parameter = None,
    iss: Parameter = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to; it goes on to the app from here."""
    if not state or any(len(request.query_params.getlist(name)) > 1 for name in ("state", "code", "error", "iss")):
        raise SignOnInvalid("The provider's answer has no state, or has something twice. Begin the sign-on again.")
    back = Return(state=state, code=code, error=error, issuer=iss)
    address = await complete(context, provider, back, request.cookies.get(_cookie_name(context)), origin)
    return RedirectResponse(address, _SEE_OTHER, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


@router.post("/exchange")
async def exchange_sign_on_code(
    body: ExchangeBody, request: Request, context: Ctx, origin: LoginOrigin, response: Response
) -> SessionView | MfaRequiredView:
    """Exchange the one-time code of a sign-on for a session, in the browser or app in which it was begun.

    Where the account has a second factor, it is asked for here, as after a password. With `X-Session-Mode: cookie` the
    session comes in cookies.
    """
    verifier = body.code_verifier.get_secret_value() if body.code_verifier else None
    name = _cookie_name(context)
    outcome = await exchange(
        context,
        body.code.get_secret_value(),
        browser_secret=request.cookies.get(name),
        verifier=verifier,
        origin=origin,
    )
    if name in request.cookies:
        response.delete_cookie(name, path="/", secure=_secure(context), httponly=True, samesite="lax")
    if isinstance(outcome, SecondStep):
        response.headers["Cache-Control"] = "no-store"
        return mfa_required_view(outcome)
    return session_answer(context, outcome, response)
