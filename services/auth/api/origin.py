"""Where a request comes from, although it comes through the gateway."""

from typing import Annotated

from fastapi import Depends, Request

from services.auth.domain.origin import Origin
from shared.telemetry import trace

_DEVICE_MAX = 200


def _origin(request: Request) -> Origin:
    device = "".join(letter for letter in request.headers.get("user-agent", "") if letter.isprintable())
    return Origin(trace.client_address() or "", device[:_DEVICE_MAX])


RequestOrigin = Annotated[Origin, Depends(_origin)]
"""Endpoint parameter: the client's network address and software."""
