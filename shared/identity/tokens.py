"""Access tokens: ES256 JWTs, signed by the auth service, verified by everybody.

The only module that touches python-jose. The algorithm is a constant, the key comes from our own set by `kid`, and
whatever is wrong with a token ends as the same 401.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jose import jwt
from jose.exceptions import ExpiredSignatureError

from shared.identity.principal import Principal
from shared.problems import Unauthenticated

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105
MAX_TOKEN_BYTES = 4096
LEEWAY_SECONDS = 10
_REQUIRED = ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")

KeySet = Mapping[str, Mapping[str, Any]]
"""Public keys as JWKs, by `kid`."""


class TokenExpired(Unauthenticated):
    """The token was good, but its time is over."""

    code = "token_expired"
    title = "The access token has expired"


@dataclass(frozen=True)
class TokenRules:
    """Whose tokens are accepted, and for whom they must be meant."""

    issuer: str
    audience: str


def refused(detail: str = "The access token is not valid. Log in again.") -> Unauthenticated:
    """The one answer to every token that is not good."""
    return Unauthenticated(detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def token_header(token: str) -> dict[str, Any]:
    """The header of a token, after the checks that need no key. Raises `Unauthenticated`."""
    if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
        raise refused()
    try:
        encoded = token.split(".", 1)[0].encode("ascii")
        header = json.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError) as error:
        raise refused() from error
    if not isinstance(header, dict):
        raise refused()
    if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE or "crit" in header:
        raise refused()
    if not isinstance(header.get("kid"), str):
        raise refused()
    return header


def verify_token(token: str, keys: KeySet, rules: TokenRules) -> Principal:
    """The principal that `token` names.

    Raises `TokenExpired` for a token whose time is over and `Unauthenticated` for everything else that is wrong.
    """
    key = keys.get(token_header(token)["kid"])
    if key is None:
        raise refused()
    try:
        claims = jwt.decode(
            token,
            dict(key),
            algorithms=[ALGORITHM],
            audience=rules.audience,
            issuer=rules.issuer,
            options={"leeway": LEEWAY_SECONDS} | {f"require_{claim}": True for claim in _REQUIRED},
        )
        return _principal(claims)
    except ExpiredSignatureError as error:
        raise TokenExpired(
            "The access token has expired. Use the refresh token to get a new one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token", error_description="expired"'},
        ) from error
    except Exception as error:
        raise refused() from error


def _principal(claims: Mapping[str, Any]) -> Principal:
    if not all(isinstance(claims[name], int) for name in ("exp", "iat", "nbf")):
        raise ValueError("times must be integers")
    roles, scope = claims.get("roles", []), claims.get("scope", "")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles) or not isinstance(scope, str):
        raise ValueError("roles or scope have the wrong type")
    step_up_methods = claims.get("step_up_methods", [])
    if not isinstance(step_up_methods, list) or not all(isinstance(method, str) for method in step_up_methods):
        raise ValueError("step_up_methods has the wrong type")
    return Principal(
        user_id=UUID(claims["sub"]),
        roles=frozenset(roles),
        scopes=frozenset(scope.split()),
        email_verified=claims.get("email_verified") is True,
        session_id=UUID(claims["sid"]) if "sid" in claims else None,
        authenticated_at=_instant(claims, "auth_time"),
        methods=frozenset(claims.get("amr", [])),
        mfa=claims.get("mfa") is True,
        mfa_at=_instant(claims, "mfa_time"),
        step_up_methods=tuple(step_up_methods),
        client_id=UUID(claims["client_id"]) if "client_id" in claims else None,
        grant_id=UUID(claims["grant_id"]) if "grant_id" in claims else None,
        requests_per_minute=_whole_number(claims, "requests_per_minute"),
        csrf=_text(claims, "csrf"),
    )


def _whole_number(claims: Mapping[str, Any], name: str) -> int | None:
    number = claims.get(name)
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        raise ValueError(f"{name} must be an integer")
    return number


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    text = claims.get(name)
    if text is not None and not isinstance(text, str):
        raise ValueError(f"{name} must be a string")
    return text


def _instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    seconds = _whole_number(claims, name)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def sign_token(claims: Mapping[str, Any], *, private_key_pem: str, key_id: str) -> str:
    """A signed token of `claims`, which must hold every claim that `verify_token` requires."""
    missing = [name for name in _REQUIRED if name not in claims]
    if missing:
        raise ValueError(f"claims missing: {', '.join(missing)}")
    headers = {"kid": key_id, "typ": TOKEN_TYPE}
    return str(jwt.encode(dict(claims), private_key_pem, algorithm=ALGORITHM, headers=headers))
