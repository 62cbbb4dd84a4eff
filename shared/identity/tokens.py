"""Access tokens: ES256 JWTs, signed by the auth service, verified by everybody.

The only module that touches python-jose. The algorithm is a constant, the key comes from our own set by `kid`, and
whatever is wrong with a token ends as the same 401.
"""

import base64
import json
import re
import time
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
MAX_LIFETIME_SECONDS = 900
LEEWAY_SECONDS = 10
"""How much the clocks of two machines may differ."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
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
    if len(token) > MAX_TOKEN_BYTES or not _TOKEN.fullmatch(token):
        raise refused()
    try:
        encoded = token.split(".", 1)[0].encode("ascii")
        header = json.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError) as error:
        raise refused() from error
    # Nothing more than this: a header that says where keys are, or what else to mind, is not one of ours.
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"}:
        raise refused()
    if header["alg"] != ALGORITHM or header["typ"] != TOKEN_TYPE or not isinstance(header["kid"], str):
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
    issued_at, expires_at = _whole_number(claims, "iat"), _whole_number(claims, "exp")
    if issued_at is None or expires_at is None or _whole_number(claims, "nbf") is None:
        raise ValueError("times must be integers")
    if issued_at > time.time() + LEEWAY_SECONDS or not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
        raise ValueError("issued in the future, or for too long")
    return Principal(
        user_id=UUID(claims["sub"]),
        roles=frozenset(_texts(claims, "roles")),
        scopes=frozenset((_text(claims, "scope") or "").split()),
        email_verified=claims.get("email_verified") is True,
        session_id=UUID(claims["sid"]) if "sid" in claims else None,
        authenticated_at=_instant(claims, "auth_time"),
        methods=frozenset(_texts(claims, "amr")),
        mfa=claims.get("mfa") is True,
        mfa_at=_instant(claims, "mfa_time"),
        step_up_methods=tuple(_texts(claims, "step_up_methods")),
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


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    texts = claims.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} must be a list of strings")
    return texts


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


def sign_document(claims: Mapping[str, Any], *, private_key_pem: str, key_id: str, media_type: str) -> str:
    """A signed document of `claims` that is no access token: its `typ` says what it is. Raises `ValueError` for theirs."""
    if media_type == TOKEN_TYPE:
        raise ValueError("access tokens are signed by sign_token")
    headers = {"kid": key_id, "typ": media_type}
    return str(jwt.encode(dict(claims), private_key_pem, algorithm=ALGORITHM, headers=headers))
