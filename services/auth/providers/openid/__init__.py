"""Single sign-on with other people's OpenID providers, through Authlib."""

from services.auth.providers.openid.provider import OpenIdProvider
from services.auth.providers.openid.settings import OpenIdSettings

__all__ = ["OpenIdProvider", "OpenIdSettings"]
