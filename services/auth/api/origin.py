"""Where a request comes from, although it comes through the gateway."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema

from services.auth.domain.origin import Origin
from shared.identity.cookies import MODE_HEADER, Carrier
from shared.telemetry import trace

_DEVICE_MAX = 200


def _modes(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
    schema["examples"] = ["cookie"]


async def _origin(request: Request) -> Origin:
    device = "".join(letter for letter in request.headers.get("user-agent", "") if letter.isprintable())
    return Origin(trace.client_address() or "", device[:_DEVICE_MAX])


RequestOrigin = Annotated[Origin, Depends(_origin)]
"""Endpoint parameter: the client's network address and software."""

_Mode = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias=MODE_HEADER,
        description="How the session is to be held: `cookie`, for browsers, sets cookies; anything else gives tokens",
        json_schema_extra=_modes,
    ),
]


async def _login_origin(origin: RequestOrigin, mode: _Mode = None) -> Origin:
    carrier: Carrier = "cookie" if mode == "cookie" else "bearer"
    return replace(origin, carrier=carrier)


LoginOrigin = Annotated[Origin, Depends(_login_origin)]
"""Endpoint parameter of what opens a session: also how the client wants to hold it."""
