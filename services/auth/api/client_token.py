"""The token endpoint of OAuth 2.0 for partners' API clients. Its failures have the form of RFC 6749, as clients expect."""

import base64
import binascii
from typing import Any, Literal
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from services.auth.api.origin import RequestOrigin
from services.auth.commands.issue_client_token import issue_client_token
from services.auth.context import Ctx
from services.auth.domain.problems import ClientRefused, ScopeNotAllowed
from shared.http.schemas import View
from shared.telemetry import trace

router = APIRouter(prefix="/v1/auth", tags=["api clients"])

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELD = 2000
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

OAuthErrorCode = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class ClientTokenView(View):
    """An access token for a program."""

    access_token: str = Field(description="ES256 JWT; send it as `Authorization: Bearer …`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds that it is good for; then ask for the next one", examples=[900])
    scope: str = Field(description="The scopes it has, separated by spaces", examples=["wallets:read transfers:write"])


class OAuthErrorView(View):
    """A failure as RFC 6749 (5.2) says."""

    error: OAuthErrorCode
    error_description: str
    trace_id: str = Field(description="Quote this when you ask for help")


class _Refused(Exception):
    """What to tell an OAuth client."""

    def __init__(self, error: OAuthErrorCode, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "scope": {
                            "type": "string",
                            "description": "Some of the client's scopes, separated by spaces; all without it",
                            "examples": ["wallets:read"],
                        },
                        "client_id": {"type": "string", "description": "Unless it is in the Authorization header"},
                        "client_secret": {"type": "string", "description": "Unless it is in the Authorization header"},
                    },
                }
            }
        },
    }
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthErrorView, "description": "The request is not one, or asks for what the client does not have"},
    401: {"model": OAuthErrorView, "description": "The client id or the secret is wrong"},
}


@router.post("/token", openapi_extra=_BODY, responses=_ERRORS, response_model=ClientTokenView)
async def issue_token(request: Request, context: Ctx, origin: RequestOrigin) -> Any:
    """An access token for an API client (OAuth 2.0 client credentials).

    Send the client id and secret by HTTP Basic or as form fields. The token acts for the owner of the client. There is no
    refresh token: ask again shortly before it ends.
    """
    try:
        form = await _form(request)
        client_id, secret = _credentials(request.headers.get("authorization"), form)
        token = await issue_client_token(context, client_id, secret, form.get("scope"), origin)
    except ClientRefused as problem:
        return _refusal("invalid_client", problem.detail)
    except ScopeNotAllowed as problem:
        return _refusal("invalid_scope", problem.detail)
    except _Refused as refused:
        return _refusal(refused.error, refused.description)
    view = ClientTokenView(access_token=token.access_token, expires_in=token.expires_in_seconds, scope=" ".join(token.scopes))
    return JSONResponse(view.model_dump(), headers=_NO_STORE)


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _Refused("invalid_request", f"Send the fields as {_FORM}.")
    async with request.form(max_files=0, max_fields=20) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str) and value}
        if len(set(form.keys())) < len(form.multi_items()):
            raise _Refused("invalid_request", "Send each field once.")
    if any("\x00" in value or len(value) > _MAX_FIELD for value in fields.values()):
        raise _Refused("invalid_request", "A field is too long or holds a NUL character.")
    grant_type = fields.get("grant_type")
    if grant_type is None:
        raise _Refused("invalid_request", "Send grant_type=client_credentials.")
    if grant_type != "client_credentials":
        raise _Refused("unsupported_grant_type", "The only grant type is client_credentials.")
    return fields


def _credentials(authorization: str | None, form: dict[str, str]) -> tuple[str, str]:
    """The client's id and secret. Given twice they must not be (RFC 6749, 2.3)."""
    in_form = form.get("client_id"), form.get("client_secret")
    if authorization is None:
        if in_form[0] is None or in_form[1] is None:
            raise ClientRefused("Send the client id and the secret, by HTTP Basic or as form fields.")
        return in_form[0], in_form[1]
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientRefused("Send the client id and the secret by HTTP Basic.")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ClientRefused("The Authorization header is not HTTP Basic.") from None
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if not colon or not client_id or not secret:
        raise ClientRefused("The Authorization header is not HTTP Basic.")
    if in_form[1] is not None or in_form[0] not in (None, client_id):
        raise _Refused("invalid_request", "Send the client id and the secret in one way only.")
    return client_id, secret


def _refusal(error: OAuthErrorCode, description: str) -> Response:
    unknown = error == "invalid_client"
    headers = _NO_STORE | ({"WWW-Authenticate": 'Basic realm="lendery"'} if unknown else {})
    view = OAuthErrorView(error=error, error_description=description, trace_id=trace.current().trace_id)
    return JSONResponse(view.model_dump(), status_code=401 if unknown else 400, headers=headers)
