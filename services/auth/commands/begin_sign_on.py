"""Send a person to another provider to sign on there."""

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.problems import SignOnProviderNotFound
from services.auth.domain.sign_on import SignOnAttempt, SignOnFailed, SignOnSecrets, return_address
from services.auth.providers.openid import OpenIdProvider
from shared.ids import new_id
from shared.problems import ServiceUnavailable

_log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 600


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and the secret that it must bring back in a cookie."""

    url: str
    browser_secret: str


def provider_named(context: Context, name: str) -> OpenIdProvider:
    """The provider. Raises `SignOnProviderNotFound`."""
    provider = context.openid_providers.get(name)
    if provider is None:
        raise SignOnProviderNotFound("Look at the list of providers.")
    return provider


async def begin_sign_on(
    context: Context, name: str, *, return_to: str | None, challenge: str | None = None, for_user_id: UUID | None = None
) -> Departure:
    """Where to go. `for_user_id` is somebody who is logged in and wants to link the identity they come back with.

    Raises `SignOnProviderNotFound`, `ReturnAddressNotAllowed`, or `ServiceUnavailable` while the provider does not answer.
    """
    provider = provider_named(context, name)
    settings = context.settings
    address = return_address(return_to, settings.public_url, settings.return_origins())
    state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    kept = SignOnSecrets(verifier=secrets.token_urlsafe(48), nonce=secrets.token_urlsafe(32))
    try:
        url = await provider.authorization_url(state, kept)
    except SignOnFailed as failure:
        _log.warning("a provider to sign on with does not answer as it should", extra={"provider": name, "why": failure.why})
        raise ServiceUnavailable(
            f"{provider.settings.shown_as} does not answer. Try again later, or log in in another way.",
            headers={"Retry-After": "10"},
        ) from failure
    async with context.unit_of_work() as work:
        await work.sign_on_attempts.add(
            SignOnAttempt(
                id=new_id(),
                provider=name,
                state_hash=hash_of(state),
                browser_hash=hash_of(browser_secret),
                secrets=kept,
                return_to=address,
                challenge=challenge,
                for_user_id=for_user_id,
                created_at=work.now,
                expires_at=work.now + timedelta(seconds=ATTEMPT_SECONDS),
            )
        )
    return Departure(url, browser_secret)
