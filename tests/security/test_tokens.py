"""Attacks on access tokens: forged, borrowed and bent ones, and floods of them. (Refresh tokens: test_refresh_tokens.py.)"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from shared.identity import jwks
from shared.identity.authenticator import Authenticator
from shared.identity.jwks import TokenVerifier
from shared.identity.revocations import SessionEnded
from shared.identity.tokens import LEEWAY_SECONDS, MAX_TOKEN_BYTES, TokenExpired, verify_token
from shared.problems import ServiceUnavailable, Unauthenticated
from tests.support.identity import KEY_ID, PRIVATE_PEM, PUBLIC_JWK, RULES, OneKeyVerifier, access_token

KEYS = {KEY_ID: PUBLIC_JWK}
_PUBLIC = serialization.load_pem_private_key(PRIVATE_PEM.encode(), None).public_key()  # type: ignore[union-attr]
_PEM = _PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
_DER = _PUBLIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": RULES.issuer, "aud": RULES.audience, "sub": str(uuid4()), "jti": "1", "iat": now, "nbf": now, "exp": now + 900}
    return {name: value for name, value in (made | changes).items() if value is not ...}


def signed(payload: dict[str, Any], key: str = PRIVATE_PEM, **headers: Any) -> str:
    return str(jwt.encode(payload, key, algorithm="ES256", headers={"kid": KEY_ID, "typ": "at+jwt"} | headers))


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refuse(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        verify_token(token, KEYS, RULES)
    assert (caught.value.status, caught.value.code) == (401, "unauthenticated")


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
    assert (caught.value.status, caught.value.code) == (401, "token_expired")


@pytest.mark.parametrize("skew_seconds", [-LEEWAY_SECONDS + 3, LEEWAY_SECONDS - 3])
def test_clocks_may_differ_a_little(skew_seconds: int) -> None:
    issued = int(time.time()) + skew_seconds - (900 if skew_seconds < 0 else 0)
    verify_token(signed(claims(iat=issued, nbf=issued, exp=issued + 900)), KEYS, RULES)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize(
    "key",
    [
        _PEM,
        _PEM.strip(),
        b"".join(_PEM.splitlines()[1:-1]),
        _DER,
        json.dumps(PUBLIC_JWK).encode(),
        json.dumps({"keys": [PUBLIC_JWK]}, separators=(",", ":")).encode(),
        PUBLIC_JWK["x"].encode(),
        KEY_ID.encode(),
        b"",
        b"\x00" * 32,
    ],
    ids=["pem", "stripped_pem", "pem_body", "der", "jwk_json", "jwks_json", "coordinate", "kid", "empty", "zeros"],
)
def test_algorithm_confusion(key: bytes, algorithm: str) -> None:
    """The public key, in every form that it can be had, as the secret of a symmetric signature."""
    for header in ({"alg": algorithm, "typ": "at+jwt", "kid": KEY_ID}, {"alg": "ES256", "typ": "at+jwt", "kid": KEY_ID}):
        content = f"{encoded(header)}.{encoded(claims(roles=['admin']))}"
        mac = hmac.digest(key, content.encode(), hashlib.new(f"sha{algorithm[2:]}").name)
        refuse(f"{content}.{encoded(mac)}")


@pytest.mark.parametrize(
    "algorithm", ["RS256", "PS256", "ES384", "ES256K", "EdDSA", "es256", "ES256 ", "", None, 1, ["ES256"], {}]
)
def test_other_algorithms(algorithm: Any) -> None:
    _, payload, signature = access_token(uuid4()).split(".")
    refuse(f"{encoded({'alg': algorithm, 'typ': 'at+jwt', 'kid': KEY_ID})}.{payload}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "none ", " none", "none\u0000", "\u0578one", "n\u043ene"])
@pytest.mark.parametrize("signature", ["", encoded(b""), encoded(b"\x00" * 64), "AA"])
def test_alg_none_in_all_spellings(algorithm: str, signature: str) -> None:
    refuse(f"{encoded({'alg': algorithm, 'typ': 'at+jwt', 'kid': KEY_ID})}.{encoded(claims())}.{signature}")


@pytest.mark.parametrize(
    "signature", [b"", b"\x00" * 64, b"\x00" * 63 + b"\x01", b"\xff" * 64, b"\x30\x06\x02\x01\x00\x02\x01\x00"]
)
def test_empty_and_zero_signatures(signature: bytes) -> None:
    head, payload, _ = access_token(uuid4()).split(".")
    refuse(f"{head}.{payload}.{encoded(signature)}")


def _own_key() -> tuple[str, dict[str, Any]]:
    """A key of the attacker's."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    public = {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32)), "y": encoded(numbers.y.to_bytes(32))}
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, public


@pytest.mark.parametrize("where", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"])
@pytest.mark.parametrize("kid", [KEY_ID, "theirs"])
def test_jku_jwk_and_x5u_injection(where: str, kid: str) -> None:
    pem, public = _own_key()
    value: Any = {"jwk": public | {"kid": kid}, "x5c": [encoded(_DER)]}.get(where, "http://127.0.0.1:1/keys")
    refuse(signed(claims(roles=["admin"]), pem, kid=kid, **{where: value}))
    refuse(signed(claims(), **{where: value}))  # and not even when the signature is ours


@pytest.mark.parametrize(
    "kid",
    [
        "unknown",
        "",
        None,
        1,
        True,
        [KEY_ID],
        {"kid": KEY_ID},
        "../../../dev/null",
        "' OR '1'='1",
        "test-key\u0000",
        " test-key",
        "TEST-KEY",
    ],
)
def test_kid_injection(kid: Any) -> None:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    _, payload, signature = access_token(uuid4()).split(".")
    refuse(f"{encoded(header)}.{payload}.{signature}")


@pytest.mark.parametrize(
    "headers", [{"typ": "JWT"}, {"typ": None}, {"typ": "id+jwt"}, {"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"zip": "DEF"}]
)
def test_tokens_of_another_kind(headers: dict[str, Any]) -> None:
    refuse(signed(claims(), **headers))


_TIMES = ("exp", "iat", "nbf")
_TEXTS = ("iss", "aud", "sub", "jti")


@pytest.mark.parametrize("name", [*_TIMES, *_TEXTS])
def test_missing_claims(name: str) -> None:
    refuse(signed(claims(**{name: ...})))


@pytest.mark.parametrize("name", [*_TIMES, *_TEXTS])
def test_null_claims(name: str) -> None:
    refuse(_signed_as_is(claims(**{name: None})))


@pytest.mark.parametrize("name", _TIMES)
@pytest.mark.parametrize("value", ["4102444800", "", 4102444800.5, True, [], {}, 1e300, 10**400])
def test_string_and_other_times(name: str, value: Any) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(_signed_as_is(claims(**{name: value})), KEYS, RULES)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 4102444800},
        {"exp": int(time.time()) + 10 * 365 * 86400},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
        {"auth_time": 10**18},
    ],
)
def test_far_future_claims(changes: dict[str, Any]) -> None:
    """Even rightly signed: no token of ours lives longer than 15 minutes, or begins later than now."""
    refuse(signed(claims(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": ["http://localhost:8000"]},
        {"aud": "another"},
        {"aud": []},
        {"sub": "not a uuid"},
        {"sub": 1},
        {"jti": 1},
        {"sid": "x"},
        {"sid": None},
        {"roles": "admin"},
        {"roles": [1]},
        {"roles": {"admin": True}},
        {"scope": ["wallets:read"]},
        {"amr": "pwd"},
        {"csrf": 1},
    ],
)
def test_claims_of_the_wrong_kind(changes: dict[str, Any]) -> None:
    refuse(_signed_as_is(claims(**changes)))


def test_a_changed_payload() -> None:
    head, _, signature = access_token(uuid4()).split(".")
    refuse(f"{head}.{encoded(claims(roles=['admin']))}.{signature}")


def test_another_key_under_our_kid() -> None:
    refuse(signed(claims(), _own_key()[0]))


@pytest.mark.parametrize("part", ["header", "payload"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
def test_nested_json_of_4_kb(part: str, opening: bytes) -> None:
    head, payload, signature = access_token(uuid4()).split(".")
    bomb = encoded(opening * (2400 // len(opening)))
    token = f"{bomb}.{payload}.{signature}" if part == "header" else f"{head}.{bomb}.{signature}"
    assert len(token) <= MAX_TOKEN_BYTES
    refuse(token)
    deep = encoded(opening * 1000 + b"1" + (b"]" if opening == b"[" else b"}") * 1000)
    refuse(f"{deep}.{payload}.{signature}" if part == "header" else f"{head}.{deep}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "é.b.c",
        "a" * 5000,
        f"{encoded([])}.x.y",
        f"{encoded('x')}.x.y",
        f"{encoded({})}.x.y.z.w",
        "a.b.c.d.e",
    ],
)
def test_what_is_no_token(token: str) -> None:
    refuse(token)


@pytest.mark.parametrize("junk", ["=", "==", "\n", " ", "!", "+", "/", "%3d", "\u200b"])
def test_a_token_has_one_spelling(junk: str) -> None:
    """Base64 that is read generously would let one token come in endless variants."""
    token = access_token(uuid4())
    verify_token(token, KEYS, RULES)
    head, payload, signature = token.split(".")
    for other in (
        f"{token}{junk}",
        f"{junk}{token}",
        f"{head}{junk}.{payload}.{signature}",
        f"{head}.{payload}.{junk}{signature}",
    ):
        refuse(other)


class CountingVerifier(TokenVerifier):
    """Its key set is fetched slowly, or not at all; counts how often."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/unused", RULES)
        self.fetched = 0
        self.failing = False
        self.keys: dict[str, dict[str, Any]] = {KEY_ID: PUBLIC_JWK}

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        self.fetched += 1
        keys = dict(self.keys)  # what the auth service has at the beginning of the request
        await asyncio.sleep(0.01)
        if self.failing:
            raise httpx.ConnectError("away")
        return keys


async def test_unknown_kid_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand made-up keys, at once and one after the other, cost one fetch; a real new key is found after a while."""
    verifier = CountingVerifier()
    await verifier.verify(access_token(uuid4()))
    assert verifier.fetched == 1
    pem, public = _own_key()

    async def attack(number: int) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed(claims(), pem, kid=f"made-up-{number}"))

    await asyncio.gather(*(attack(number) for number in range(500)))
    for number in range(500):
        await attack(number)
    assert verifier.fetched == 1
    verifier.keys["new"] = public
    monkeypatch.setattr(jwks, "UNKNOWN_SECONDS", 0)
    await verifier.verify(signed(claims(), pem, kid="new"))
    assert verifier.fetched == 2
    monkeypatch.setattr(jwks, "UNKNOWN_SECONDS", 3600)
    await asyncio.gather(*(attack(number) for number in range(100)))
    assert verifier.fetched == 2


async def test_a_flood_at_the_start_is_one_fetch_and_a_failure_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = CountingVerifier()
    verifier.failing = True
    tokens = [access_token(uuid4()) for _ in range(20)]
    answers = await asyncio.gather(*(verifier.verify(token) for token in tokens), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ServiceUnavailable}
    assert verifier.fetched == 1
    with pytest.raises(ServiceUnavailable):
        await verifier.verify(tokens[0])
    assert verifier.fetched == 1, "a failure is not tried again at once"
    verifier.failing = False
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0)
    await asyncio.gather(*(verifier.verify(token) for token in tokens))
    assert verifier.fetched == 2


async def test_known_keys_serve_while_the_auth_service_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = CountingVerifier()
    await verifier.verify(access_token(uuid4()))
    monkeypatch.setattr(jwks, "FRESH_SECONDS", -1)
    verifier.failing = True
    for _ in range(3):
        await verifier.verify(access_token(uuid4()))  # does not wait for the fetch, which fails
    assert verifier._fetching is not None
    await verifier._fetching
    await verifier.verify(access_token(uuid4()))
    assert verifier.fetched == 2


async def test_a_revoked_key_signs_nothing_any_more() -> None:
    """Neither with the keys at hand, nor remembered, nor by a key set that was asked for before the news came."""
    verifier = CountingVerifier()
    authenticator = Authenticator(verifier)
    token = access_token(uuid4())
    await authenticator.verify(token)
    assert authenticator.remembered(token) is not None
    verifier.revocations.revoke_keys([KEY_ID])
    assert authenticator.remembered(token) is None
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.verify(token)
    late = CountingVerifier()
    verifying = asyncio.create_task(late.verify(token))
    while not late.fetched:  # noqa: ASYNC110
        await asyncio.sleep(0)
    late.revocations.revoke_keys([KEY_ID])
    with pytest.raises(Unauthenticated):
        await verifying


async def test_news_of_a_key_are_fetched_at_once() -> None:
    verifier = CountingVerifier()
    await verifier.verify(access_token(uuid4()))
    pem, public = _own_key()
    verifier.keys["next"] = public
    verifier.revocations.keys_changed()
    await verifier.verify(signed(claims(), pem, kid="next"))
    assert verifier.fetched == 2


async def test_a_token_of_an_ended_session() -> None:
    verifier = OneKeyVerifier()
    authenticator = Authenticator(verifier)
    session_id, other_id = uuid4(), uuid4()
    token, other = access_token(uuid4(), sid=str(session_id)), access_token(uuid4(), sid=str(other_id))
    await authenticator.verify(token)
    verifier.revocations.end_sessions([session_id], time.time() + 900)
    with pytest.raises(SessionEnded):
        authenticator.remembered(token)
    with pytest.raises(SessionEnded):
        await Authenticator(verifier).verify(token)
    await authenticator.verify(other)


def _signed_as_is(payload: dict[str, Any]) -> str:
    """A rightly signed token of claims that python-jose would refuse to encode."""
    from jose import jws

    headers = {"kid": KEY_ID, "typ": "at+jwt"}
    return str(jws.sign(json.dumps(payload).encode(), PRIVATE_PEM, headers=headers, algorithm="ES256"))
