"""Where a request comes from, although it comes through the gateway."""

from typing import Annotated

from fastapi import Depends, Request

from services.auth.domain.origin import Origin
from shared.identity.cookies import MODE_HEADER, Carrier
from shared.telemetry import trace

_DEVICE_MAX = 200


async def _origin(request: Request) -> Origin:
    carrier: Carrier = "cookie" if request.headers.get(MODE_HEADER) == "cookie" else "bearer"
    device = "".join(letter for letter in request.headers.get("user-agent", "") if letter.isprintable())
    return Origin(trace.client_address() or "", device[:_DEVICE_MAX], carrier)


RequestOrigin = Annotated[Origin, Depends(_origin)]
"""Endpoint parameter: the client's network address and software, and how it holds a session."""
