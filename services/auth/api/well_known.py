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
    """The keys that sign access tokens; choose by `kid`.

    Keep them for five minutes at most, and ask again before refusing a `kid` that you do not know.
    """
    # Kept by nobody in between: a key that was revoked must be gone at once.
    response.headers["Cache-Control"] = "no-cache"
    return KeySetView.model_validate(await context.key_ring.jwks())
