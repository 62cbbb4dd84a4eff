"""Where providers call us."""

from fastapi import APIRouter, Request, Response

from services.payments.commands import receive_webhook as receiving
from services.payments.context import Ctx
from services.payments.domain.problems import WebhookTooLarge

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_MAX_BYTES = 64 * 1024


@router.post("/{provider}")
async def receive_webhook(context: Ctx, provider: str, request: Request) -> Response:
    """For payment providers: the signature must be theirs and fresh. The same event again is answered 200 and ignored."""
    await receiving.receive_webhook(context, provider, dict(request.headers), await _bounded_body(request))
    return Response(status_code=200)


async def _bounded_body(request: Request) -> bytes:
    """The raw bytes, which is what was signed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise WebhookTooLarge(f"Send at most {_MAX_BYTES} bytes.")
    return bytes(body)
