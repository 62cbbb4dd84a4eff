"""Who checks identities: by default our own reviewers."""

from services.auth.providers.kyc.base import CheckOutcome, IdentityProvider
from services.auth.providers.kyc.sandbox import SandboxIdentityProvider

__all__ = ["CheckOutcome", "IdentityProvider", "identity_provider"]


def identity_provider(name: str) -> IdentityProvider | None:
    """The provider of `LENDERY_AUTH_KYC_PROVIDER`; None for `manual`. Raises `ValueError`."""
    if name == "manual":
        return None
    if name == "sandbox":
        return SandboxIdentityProvider()
    raise ValueError("LENDERY_AUTH_KYC_PROVIDER must be manual or sandbox")
