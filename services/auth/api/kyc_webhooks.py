"""Where companies that check identities call us."""

from fastapi import APIRouter, Request, Response

from services.auth.commands import receive_kyc_webhook as receiving
from services.auth.context import Ctx
from shared.webhooks import raw_body

router = APIRouter(prefix="/v1/webhooks/kyc", tags=["webhooks"])


@router.post("/{provider}")
async def receive_kyc_webhook(context: Ctx, provider: str, request: Request) -> Response:
    """For companies that check identities: the signature must be theirs and fresh. The same event again is answered 200 and
    ignored."""
    await receiving.receive_kyc_webhook(context, provider, dict(request.headers), await raw_body(request))
    return Response(status_code=200)
