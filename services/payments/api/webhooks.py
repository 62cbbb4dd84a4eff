"""Where providers call us."""

from fastapi import APIRouter, Request, Response

from services.payments.commands import receive_webhook as receiving
from services.payments.context import Ctx
from shared.webhooks import raw_body

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post("/{provider}")
async def receive_webhook(context: Ctx, provider: str, request: Request) -> Response:
    """For payment providers: the signature must be theirs and fresh. The same event again is answered 200 and ignored."""
    await receiving.receive_webhook(context, provider, dict(request.headers), await raw_body(request))
    return Response(status_code=200)
