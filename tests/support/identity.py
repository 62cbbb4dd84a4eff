"""Access tokens for tests of one service, signed by a key made for the run and verified as in production."""

import time
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk

from shared.clock import Clock, SystemClock
from shared.identity.jwks import TokenVerifier
from shared.identity.tokens import TokenRules, sign_token
from shared.ids import new_id
from shared.service import Platform

RULES = TokenRules(issuer="http://localhost:8000", audience="lendery")
KEY_ID = "test-key"
_PRIVATE = ec.generate_private_key(ec.SECP256R1())
PRIVATE_PEM = _PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
_PUBLIC_PEM = (
    _PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
PUBLIC_JWK: dict[str, Any] = {**jwk.construct(_PUBLIC_PEM, "ES256").to_dict(), "kid": KEY_ID, "use": "sig"}


class OneKeyVerifier(TokenVerifier):
    """The production verifier, whose published key set is this run's one key."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/unused", RULES)

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        return {KEY_ID: PUBLIC_JWK}


def platform_for_tests(clock: Clock | None = None) -> Platform:
    """What a service under test is built on."""
    return Platform(clock or SystemClock(), OneKeyVerifier())


def access_token(
    user_id: UUID, *, roles: tuple[str, ...] = ("user",), email_verified: bool = True, age_seconds: int = 0, **claims: Any
) -> str:
    """A token as the auth service would give to `user_id`, issued `age_seconds` ago and good for 15 minutes."""
    issued = int(time.time()) - age_seconds
    return sign_token(
        {
            "iss": RULES.issuer,
            "aud": RULES.audience,
            "sub": str(user_id),
            "jti": str(new_id()),
            "sid": str(new_id()),
            "iat": issued,
            "nbf": issued,
            "exp": issued + 900,
            "auth_time": issued,
            "roles": list(roles),
            "email_verified": email_verified,
            **claims,
        },
        private_key_pem=PRIVATE_PEM,
        key_id=KEY_ID,
    )


def bearer(user_id: UUID, **claims: Any) -> dict[str, str]:
    """The Authorization header of `user_id`."""
    return {"Authorization": f"Bearer {access_token(user_id, **claims)}"}
