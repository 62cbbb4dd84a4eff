"""The ID token of another provider: whose it is and whether it was made for this very sign-on.

Algorithms are a constant of ours, never what the provider's metadata or the token's header say; keys are those that the
provider publishes, never one that the token brings along.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.auth.domain.sign_on import SignOnFailed

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
_MAX_CHARACTERS = 16_384
_LEEWAY_SECONDS = 60


class UnknownKey(Exception):
    """No published key has the id that the token names: the provider may have rotated its keys."""


def verified_claims(
    id_token: object,
    jwks: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: object,
    now: datetime,
) -> dict[str, Any]:
    """What the token says. Raises `UnknownKey`, or `SignOnFailed` for whatever is wrong with it."""
    from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped,unused-ignore]
    from joserfc import jws, jwt
    from joserfc.errors import InvalidKeyIdError, JoseError
    from joserfc.jwk import KeySet

    if not isinstance(id_token, str) or len(id_token) > _MAX_CHARACTERS or not isinstance(access_token, str):
        raise SignOnFailed("provider_answer_invalid", "there is no ID token of a sensible size")
    keys = [key for key in jwks.get("keys", []) if isinstance(key, dict) and key.get("kty") in _KEY_TYPES]
    if not keys:
        raise SignOnFailed("provider_answer_invalid", "no key of a known kind is published")
    try:
        registry = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        token = jwt.decode(id_token, KeySet.import_key_set({"keys": keys}), registry=registry)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, AttributeError) as error:
        raise SignOnFailed("provider_answer_invalid", f"ID token: {type(error).__name__}") from error
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise SignOnFailed("provider_answer_invalid", "the subject is not one")
    return dict(claims)
