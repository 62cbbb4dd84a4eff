"""Access tokens: what is accepted, and everything that is not."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from jose import jwt

from shared.identity.tokens import TokenExpired, verify_token
from shared.problems import Unauthenticated
from tests.support.identity import KEY_ID, PRIVATE_PEM, PUBLIC_JWK, RULES, access_token

KEYS = {KEY_ID: PUBLIC_JWK}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": RULES.issuer, "aud": RULES.audience, "sub": str(uuid4()), "jti": "1", "iat": now, "nbf": now, "exp": now + 900}
    return {name: value for name, value in (made | changes).items() if value is not ...}


def signed(payload: dict[str, Any], **headers: Any) -> str:
    return str(jwt.encode(payload, PRIVATE_PEM, algorithm="ES256", headers={"kid": KEY_ID, "typ": "at+jwt"} | headers))


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_good_token_names_its_principal() -> None:
    user_id, session_id = uuid4(), uuid4()
    token = access_token(user_id, roles=("user", "admin"), sid=str(session_id), amr=["pwd"])
    principal = verify_token(token, KEYS, RULES)
    assert principal.user_id == user_id
    assert principal.session_id == session_id
    assert principal.has_role("admin")
    assert not principal.has_role("support")
    assert principal.email_verified
    assert principal.methods == {"pwd"}


def test_an_old_token_is_told_apart() -> None:
    with pytest.raises(TokenExpired) as caught:
        verify_token(access_token(uuid4(), age_seconds=1000), KEYS, RULES)
    assert caught.value.code == "token_expired"
    assert caught.value.status == 401


@pytest.mark.parametrize(
    "payload",
    [
        claims(iss="https://elsewhere.example"),
        claims(aud="another"),
        claims(aud=...),
        claims(iss=...),
        claims(exp=...),
        claims(iat=...),
        claims(nbf=...),
        claims(sub=...),
        claims(jti=...),
        claims(sub="not a uuid"),
        claims(sub=None),
        claims(exp="4102444800"),
        claims(exp=4102444800.5),
        claims(nbf=int(time.time()) + 3600),
        claims(roles="admin"),
        claims(roles=[1]),
        claims(sid="x"),
    ],
)
def test_wrong_or_missing_claims_are_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(signed(payload), KEYS, RULES)


@pytest.mark.parametrize(
    "headers",
    [{"kid": "unknown"}, {"kid": None}, {"kid": 1}, {"typ": "JWT"}, {"crit": ["exp"]}, {"typ": None}],
)
def test_wrong_headers_are_refused(headers: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(signed(claims(), **headers), KEYS, RULES)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS256", "ES384", "", None, 1])
def test_other_algorithms_are_refused(algorithm: Any) -> None:
    header = {"alg": algorithm, "typ": "at+jwt", "kid": KEY_ID}
    token = f"{encoded(header)}.{encoded(claims())}."
    with pytest.raises(Unauthenticated):
        verify_token(token, KEYS, RULES)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.b.c", "a" * 5000, f"{encoded([])}.x.y", f"{encoded('x')}.x.y"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(token, KEYS, RULES)


def test_a_changed_payload_is_refused() -> None:
    head, _, signature = access_token(uuid4()).split(".")
    with pytest.raises(Unauthenticated):
        verify_token(f"{head}.{encoded(claims(roles=['admin']))}.{signature}", KEYS, RULES)
