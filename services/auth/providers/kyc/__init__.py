"""Who checks identities: by default our own reviewers."""

from services.auth.providers.kyc.base import CheckEvent, CheckOutcome, IdentityProvider
from services.auth.providers.kyc.sandbox import SandboxIdentityProvider
from services.auth.providers.kyc.sandbox_webhook import SandboxWebhookProvider
from shared.clock import Clock

__all__ = ["PROVIDERS", "CheckEvent", "CheckOutcome", "IdentityProvider", "identity_provider"]

PROVIDERS = ("manual", "sandbox", "sandbox-webhook")


def identity_provider(name: str, clock: Clock, *, public_url: str, webhook_secret: str) -> IdentityProvider | None:
    """The provider of `LENDERY_AUTH_KYC_PROVIDER`, one of `PROVIDERS`; None for `manual`."""
    match name:
        case "sandbox":
            return SandboxIdentityProvider(clock)
        case "sandbox-webhook":
            url = f"{public_url.rstrip('/')}/v1/webhooks/kyc/sandbox-webhook"
            return SandboxWebhookProvider(clock, url, webhook_secret)
    return None
