"""Passkeys in a real browser, with its virtual authenticator: what our options say and its answers hold fit each other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.chromium import Page, chromium_path, running_browser
from tests.support.platforms import RunningPlatform, one_process

PERSON = {"email": "amina@lendery.test", "password": "a long enough secret", "full_name": "Amina Wanjiru"}
_SCRIPTS = """
    (() => {
        window.call = async (method, path, body, token) => {
            const headers = {"Content-Type": "application/json"};
            if (token) headers.Authorization = `Bearer ${token}`;
            const answer = await fetch(path, {method, headers, body: body ? JSON.stringify(body) : undefined});
            return {status: answer.status, ...await answer.json()};
        };
        window.create = async (options) => (await navigator.credentials.create(
            {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON();
        window.get = async (options) => (await navigator.credentials.get(
            {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON();
        return true;
    })()
"""


@pytest.fixture
def platform(database_url: str, tmp_path: Path) -> Iterator[RunningPlatform]:
    with one_process(database_url, tmp_path, LENDERY_AUTO_VERIFY="1") as running:
        yield running


async def call(page: Page, method: str, path: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
    arguments = ", ".join(json.dumps(argument) for argument in (method, path, body, token))
    answer: dict[str, Any] = await page.run(f"call({arguments})")
    return answer


@pytest.mark.slow
@pytest.mark.skipif(chromium_path() is None, reason="needs Chromium")
async def test_a_passkey_is_made_and_opens_the_account(platform: RunningPlatform) -> None:
    url = platform.url
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        assert (await http.post("/v1/auth/register", json=PERSON)).status_code == 201
    async with running_browser() as page:
        await page.command("WebAuthn.enable")
        device = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await page.command("WebAuthn.addVirtualAuthenticator", options=device)
        await page.open(f"{url}/docs")
        await page.run(_SCRIPTS)

        credentials = {"email": PERSON["email"], "password": PERSON["password"]}
        token = (await call(page, "POST", "/v1/auth/login", credentials))["access_token"]
        options = (await call(page, "POST", "/v1/auth/passkeys/register/options", None, token))["options"]
        made = await page.run(f"create({json.dumps(options)})")
        registered = await call(page, "POST", "/v1/auth/passkeys/register", {"name": "Browser", "credential": made}, token)
        assert registered["status"] == 201, registered
        assert len(registered["recovery_codes"]) == 10

        options = (await call(page, "POST", "/v1/auth/passkeys/login/options"))["options"]
        signed = await page.run(f"get({json.dumps(options)})")
        opened = await call(page, "POST", "/v1/auth/passkeys/login", {"credential": signed})
        assert opened["status"] == 200, opened
        assert (await call(page, "GET", "/v1/me", None, opened["access_token"]))["email"] == PERSON["email"]

        step = await call(page, "POST", "/v1/auth/login", credentials)
        ask = {"mfa_token": step["mfa_token"], "method": "passkey"}
        options = (await call(page, "POST", "/v1/auth/login/mfa/challenge", ask))["passkey_options"]
        signed = await page.run(f"get({json.dumps(options)})")
        finished = await call(page, "POST", "/v1/auth/login/mfa", {**ask, "credential": signed})
        assert finished["status"] == 200, finished
