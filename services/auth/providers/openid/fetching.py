"""Asking another provider over HTTP: bounded in time and in size, whatever it answers."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from services.auth.domain.sign_on import SignOnFailed

_MAX_BYTES = 256 * 1024
_WHOLE_SECONDS = 8.0
_TIMEOUT = httpx.Timeout(5.0)


async def fetch_json(method: str, url: str, **request: Any) -> dict[str, Any]:
    """The JSON object at `url`. No redirect is followed: each address is one that the operator or the discovery named.

    Raises `SignOnFailed`.
    """
    headers: Mapping[str, str] = {"Accept": "application/json", "Accept-Encoding": "identity", **request.pop("headers", {})}
    try:
        async with asyncio.timeout(_WHOLE_SECONDS):
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client,
                client.stream(method, url, headers=headers, **request) as answer,
            ):
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise SignOnFailed("provider_answer_invalid", "its answer is compressed although that was not asked for")
                body = bytearray()
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > _MAX_BYTES:
                        raise SignOnFailed("provider_answer_invalid", "its answer is too large")
    except (TimeoutError, httpx.HTTPError) as error:
        raise SignOnFailed("provider_unavailable", type(error).__name__) from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise SignOnFailed("provider_unavailable", f"it answered {answer.status_code}")
    if answer.status_code != httpx.codes.OK:
        raise SignOnFailed("provider_answer_invalid", f"it answered {answer.status_code}")
    try:
        document = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise SignOnFailed("provider_answer_invalid", "its answer is not JSON") from error
    if not isinstance(document, dict):
        raise SignOnFailed("provider_answer_invalid", "its answer is not a JSON object")
    return document
