"""The public keys that access tokens are verified with."""

from typing import Any

from fastapi import APIRouter, Response

from services.auth.context import Ctx
from shared.http.schemas import View

router = APIRouter(tags=["keys"])


class KeySetView(View):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]


@router.get("/.well-known/jwks.json")
async def get_jwks(context: Ctx, response: Response) -> KeySetView:
    """The keys that sign access tokens; choose by `kid`."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySetView.model_validate(await context.key_ring.jwks())
