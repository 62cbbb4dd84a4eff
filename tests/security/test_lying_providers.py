"""Attacks by, and in the name of, providers of single sign-on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from services.auth.domain.sign_on import SignOnFailed, SignOnSecrets
from services.auth.providers.openid import OpenIdProvider, OpenIdSettings, fetching
from shared.clock import SystemClock
from tests.support.hostile_provider import CLIENT, HostileProvider, huge, running_hostile_provider

SECRETS = SignOnSecrets(verifier="v" * 64, nonce="the nonce of this sign-on")


@pytest.fixture
async def liar() -> AsyncIterator[HostileProvider]:
    async with running_hostile_provider() as provider:
        provider.nonce = SECRETS.nonce
        yield provider


@pytest.fixture
def provider(liar: HostileProvider) -> OpenIdProvider:
    settings = OpenIdSettings.model_validate({"name": "liar", "issuer": liar.issuer, **CLIENT})
    return OpenIdProvider(settings, redirect_uri="http://localhost:8000/v1/auth/oauth/liar/callback", clock=SystemClock())


async def outcome(provider: OpenIdProvider, issuer: str | None = None) -> str:
    """What the sign-on comes to."""
    try:
        found = await provider.identify("code", issuer, SECRETS)
    except SignOnFailed as failure:
        return failure.error
    return "verified" if found.email_verified else "unverified"


async def test_told_the_truth_it_works(provider: OpenIdProvider, liar: HostileProvider) -> None:
    assert await outcome(provider) == "verified"
    assert await outcome(provider, liar.issuer) == "verified"
    assert liar.verifier == SECRETS.verifier


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another sign-on"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://accounts.google.com"},
    "no issuer": {"iss": None},
    "for another client": {"aud": "somebody-else"},
    "for several, and asked for by another": {"aud": ["lendery", "other"], "azp": "other"},
    "for nobody": {"aud": []},
    "expired": {"exp": 1_600_000_000},
    "from the future": {"iat": 4_000_000_000},
    "no end": {"exp": None},
    "no subject": {"sub": None},
    "a subject that is no text": {"sub": {"$ne": ""}},
    "an empty subject": {"sub": ""},
    "a subject without an end": {"sub": "x" * 300},
    "the hash of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_false_claim(provider: OpenIdProvider, liar: HostileProvider, lie: str) -> None:
    liar.claims = LIES[lie]
    assert await outcome(provider) == "provider_answer_invalid"


@pytest.mark.parametrize("sign", ["none", "HS256", "unpublished", "unknown kid", "own jwk", "own jku"])
async def test_a_false_signature(provider: OpenIdProvider, liar: HostileProvider, sign: str) -> None:
    liar.sign = sign
    assert await outcome(provider) == "provider_answer_invalid"


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1.5, ["true"]])
async def test_an_unverified_address(provider: OpenIdProvider, liar: HostileProvider, verified: Any) -> None:
    liar.claims = {"email_verified": verified}
    assert await outcome(provider) == "unverified"


@pytest.mark.parametrize("email", [None, "", "amina", "a@b@c", {"a": 1}, ["amina@example.com"], "a@example.com\nBcc: x@y.z"])
async def test_an_address_that_is_none(provider: OpenIdProvider, liar: HostileProvider, email: Any) -> None:
    liar.claims = {"email": email}
    liar.user_info = {"sub": "mallory", "email": email}
    assert await outcome(provider) == "email_missing"


async def test_user_info_about_somebody_else(provider: OpenIdProvider, liar: HostileProvider) -> None:
    liar.claims = {"email": None, "email_verified": None}
    liar.user_info = {"sub": "amina", "email": "amina@example.com", "email_verified": True}
    assert await outcome(provider) == "provider_answer_invalid"
    liar.user_info["sub"] = "mallory"
    assert await outcome(provider) == "verified"


async def test_the_answer_of_another_issuer_mix_up(provider: OpenIdProvider, liar: HostileProvider) -> None:
    assert await outcome(provider, "https://accounts.google.com") == "provider_answer_invalid"
    assert liar.verifier is None, "the code went to the wrong provider"


async def test_an_issuer_that_was_promised_and_left_out(provider: OpenIdProvider, liar: HostileProvider) -> None:
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    assert await outcome(provider) == "provider_answer_invalid"
    assert liar.verifier is None
    assert await outcome(provider, liar.issuer) == "verified"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://accounts.google.com"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
async def test_metadata_that_leads_elsewhere(provider: OpenIdProvider, liar: HostileProvider, metadata: dict[str, Any]) -> None:
    liar.metadata = metadata
    with pytest.raises(SignOnFailed, match="provider_answer_invalid"):
        await provider.authorization_url("state", SECRETS)


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse([]),
        JSONResponse({"access_token": "at"}),
        JSONResponse({"access_token": {"a": 1}, "id_token": 7}),
        JSONResponse({"error": "invalid_grant"}, 400),
        PlainTextResponse("[" * 100_000),
        PlainTextResponse("<html>"),
        RedirectResponse("http://127.0.0.1:1/"),
    ],
    ids=["list", "no id token", "wrong types", "refusal", "deep", "html", "redirect"],
)
async def test_an_answer_that_is_none(provider: OpenIdProvider, liar: HostileProvider, answer: Response) -> None:
    liar.token_answer = answer
    assert await outcome(provider) == "provider_answer_invalid"


async def test_an_answer_that_is_huge(provider: OpenIdProvider, liar: HostileProvider) -> None:
    liar.token_answer = huge()
    assert await outcome(provider) == "provider_answer_invalid"


async def test_a_provider_that_hangs(provider: OpenIdProvider, liar: HostileProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    await provider.authorization_url("state", SECRETS)
    monkeypatch.setattr(fetching, "_WHOLE_SECONDS", 0.2)
    liar.hangs = True
    assert await outcome(provider) == "provider_unavailable"


async def test_failures_are_not_asked_for_again_at_once(provider: OpenIdProvider, liar: HostileProvider) -> None:
    liar.metadata = {"issuer": "https://accounts.google.com"}
    with pytest.raises(SignOnFailed):
        await provider.authorization_url("state", SECRETS)
    liar.metadata = {}
    with pytest.raises(SignOnFailed):
        await provider.authorization_url("state", SECRETS)
