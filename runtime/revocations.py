"""Every process follows what the auth service revokes, so that a token that was ended is good nowhere any more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from runtime.background import transport_of
from shared.identity.revocation_feed import CHECK_SECONDS, POLL_SECONDS, RevocationFeed
from shared.service import Platform

if TYPE_CHECKING:
    from shared.messaging.transport import Transport
    from shared.settings import CommonSettings


@asynccontextmanager
async def following_revocations(
    platform: Platform, settings: "CommonSettings", transport: "Transport | None" = None
) -> AsyncIterator[None]:
    """Follow them for the time of the block. `transport` is given where the auth service's own relay uses it, too.

    Without that and without a broker no event comes, so the auth service is asked every second.
    """
    hears = transport is not None or settings.amqp_url is not None
    own = transport_of(settings) if transport is None else transport
    feed = RevocationFeed(
        platform.token_verifier.revocations,
        settings.revocations_url,
        own,
        every_seconds=CHECK_SECONDS if hears else POLL_SECONDS,
    )
    await feed.start()
    try:
        yield
    finally:
        await feed.stop()
        if transport is None:
            await own.stop(drain_seconds=0)
