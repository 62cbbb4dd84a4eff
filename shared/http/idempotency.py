"""The HTTP side of idempotent requests: the header, and answers that are sent again."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from shared.http.auth import CurrentUser
from shared.idempotency.keys import UNREAD, Answer, IdempotentRequest, checked_key, fingerprint


async def _idempotent_request(
    request: Request,
    principal: CurrentUser,
    idempotency_key: Annotated[
        str | None,
        Header(description="1 to 255 visible ASCII characters, new for each new request, the same for its retries"),
    ] = None,
) -> IdempotentRequest:
    key = checked_key(idempotency_key)
    body = await request.body()
    try:
        value = await request.json() if body else UNREAD  # read once, for whoever wants it
    except (ValueError, RecursionError):
        value = UNREAD
    asked = fingerprint(request.method, request.scope["path"], body, value)
    return IdempotentRequest(owner=str(principal.user_id), key=key, fingerprint=asked)


Idempotent = Annotated[IdempotentRequest, Depends(_idempotent_request)]
"""Endpoint parameter of every POST that can move money."""


def respond(answer: Answer) -> JSONResponse:
    """The HTTP answer; a repeated one says so in `Idempotent-Replayed`."""
    headers = dict(answer.headers)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return JSONResponse(answer.body, status_code=answer.status, media_type=answer.media_type, headers=headers)


async def _maybe_idempotent_request(
    request: Request,
    principal: CurrentUser,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Optional here: with it, a repeated request gets the first answer again",
            json_schema_extra={"x-optional": True},  # for the gateway, which writes "required" beside the others
        ),
    ] = None,
) -> IdempotentRequest | None:
    return None if idempotency_key is None else await _idempotent_request(request, principal, idempotency_key)


MaybeIdempotent = Annotated[IdempotentRequest | None, Depends(_maybe_idempotent_request)]
"""Endpoint parameter of POSTs that move no money but may be repeated by a client that lost the answer."""
