"""The provider's background work: settles payouts when their time has come and delivers webhooks until they are taken."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

from services.payments.providers.sandbox.server import payouts, webhook_queue
from services.payments.providers.sandbox.server.context import SandboxContext
from shared.webhooks import HEADER, sign

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
_TIMEOUT_SECONDS = 10.0


@asynccontextmanager
async def running_courier(context: SandboxContext) -> AsyncIterator[None]:
    """Deliver and settle during the block."""
    task = asyncio.create_task(_run(context), name="sandbox courier")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(context: SandboxContext) -> None:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
        while True:
            context.wake.clear()
            try:
                busy = await work_once(context, http)
            except Exception:
                _log.exception("the sandbox's courier stumbled; it goes on")
                busy = False
            if not busy:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await context.wake.wait()


async def work_once(context: SandboxContext, http: httpx.AsyncClient) -> bool:
    """Settle and deliver what is due now; whether there was anything to deliver."""
    async with context.transaction() as connection:
        await payouts.settle_due(connection, context.clock.now())
    async with context.transaction() as connection:
        due = await webhook_queue.take_due(connection, context.clock.now())
    await asyncio.gather(*(_deliver(context, http, webhook) for webhook in due))
    return bool(due)


async def _deliver(context: SandboxContext, http: httpx.AsyncClient, webhook: webhook_queue.Webhook) -> None:
    body = webhook.body.encode()
    signature = sign(context.settings.sandbox_secret.get_secret_value(), context.clock.now(), body)
    headers = {HEADER: signature, "content-type": "application/json"}
    try:
        answer = await http.post(context.settings.webhook_url, content=body, headers=headers)
        error = None if answer.is_success else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as trouble:
        error = type(trouble).__name__
    async with context.transaction() as connection:
        if error is None:
            await webhook_queue.delivered(connection, webhook, context.clock.now())
        else:
            await webhook_queue.postponed(connection, webhook, error, context.clock.now())
