"""Reads of exports and erasures."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.privacy import PrivacyRequest
from services.auth.domain.problems import ErasureNotFound


async def find_privacy_request(context: Context, request_id: UUID) -> PrivacyRequest:
    """The request as it is now. Raises `ErasureNotFound`."""
    async with context.read() as connection:
        found = await context.privacy_requests(connection).find(request_id)
    if found is None:
        raise ErasureNotFound
    return found


async def find_report(context: Context, secret_hash: bytes) -> PrivacyRequest | None:
    """The erasure of a secret, while its report is kept."""
    async with context.read() as connection:
        request = await context.privacy_requests(connection).by_secret(secret_hash)
    return request if request is not None and (request.open or request.usable(context.clock.now())) else None
