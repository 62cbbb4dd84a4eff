"""Signing on with a provider where the account has a second factor here."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.service.auth.conftest import MovableClock, problem
from tests.service.auth.test_login import claims_of
from tests.service.auth.test_sign_on import bearer, begin, exchange, issuer, query, settings_changes, sign_on_as
from tests.support.hostile_provider import CLIENT, HostileProvider, running_hostile_provider
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.support.second_factors import App, enrol_app

__all__ = ["issuer", "settings_changes"]


@pytest.fixture
def clock() -> MovableClock:
    """Codes of apps move it on; the provider's tokens may be of a minute ahead."""
    clock = MovableClock()
    clock.ahead = timedelta(seconds=-50)
    return clock


async def member(client: httpx.AsyncClient, clock: MovableClock) -> App:
    """Somebody who signs on and has an app for codes."""
    headers = bearer(await exchange(client, (await sign_on_as(client, "amina"))["sso_code"]))
    app, _ = await enrol_app(client, headers, clock)
    return app


async def second_step(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await exchange(client, (await sign_on_as(client, "amina"))["sso_code"])
    assert answer.status_code == 200, answer.text
    step: dict[str, Any] = answer.json()
    return step


async def finish(client: httpx.AsyncClient, step: dict[str, Any], code: str) -> httpx.Response:
    return await client.post("/v1/auth/login/mfa", json={"mfa_token": step["mfa_token"], "method": "totp", "code": code})


@pytest.mark.xdist_group("openid provider")
async def test_a_person_with_a_factor_gives_it_after_signing_on(client: httpx.AsyncClient, clock: MovableClock) -> None:
    app = await member(client, clock)
    step = await second_step(client)
    assert (step["mfa_required"], step["methods"]) == (True, ["totp", "recovery_code"])
    assert "access_token" not in step
    assert problem(await finish(client, step, app.wrong_code())) == (401, "code_invalid")
    done = await finish(client, step, app.code())
    assert claims_of(done.json()["access_token"])["amr"] == ["sso", "otp", "mfa"]


class TestAProviderThatIsTrusted:
    @pytest.fixture
    def settings_changes(self, issuer: str) -> dict[str, Any]:
        real = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {"auth_openid_providers": ({"name": "acme", "issuer": issuer, "trusts_second_factor": True, **real},)}

    @pytest.mark.xdist_group("openid provider")
    async def test_says_that_a_password_was_all(self, client: httpx.AsyncClient, clock: MovableClock) -> None:
        """The real one answers `amr: ["pwd"]`, which is no second factor."""
        await member(client, clock)
        assert (await second_step(client))["mfa_required"] is True


class TestAProviderThatAskedForTwo:
    """Played, because the real one asks for one."""

    @pytest.fixture
    async def playing(self) -> AsyncIterator[HostileProvider]:
        async with running_hostile_provider() as provider:
            yield provider

    @pytest.fixture
    def trusts(self) -> bool:
        return True

    @pytest.fixture
    def settings_changes(self, playing: HostileProvider, trusts: bool) -> dict[str, Any]:
        provider = {"name": "acme", "issuer": playing.issuer, "trusts_second_factor": trusts, **CLIENT}
        return {"auth_openid_providers": (provider,)}

    async def signed_on(self, client: httpx.AsyncClient, playing: HostileProvider, **claims: Any) -> dict[str, Any]:
        begun = query(await begin(client))
        playing.nonce, playing.claims = begun["nonce"], claims
        back = await client.get(f"/v1/auth/oauth/acme/callback?state={begun['state']}&code=x")
        answer = await exchange(client, query(back.headers["location"])["sso_code"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def test_spares_the_one_here_and_proves_nothing_more(
        self, client: httpx.AsyncClient, playing: HostileProvider, clock: MovableClock
    ) -> None:
        first = await self.signed_on(client, playing, amr=["pwd"])
        await enrol_app(client, {"Authorization": f"Bearer {first['access_token']}"}, clock)
        tokens = await self.signed_on(client, playing, amr=["pwd", "otp", "mfa"])
        claims = claims_of(tokens["access_token"])
        assert (claims["amr"], claims["mfa"]) == (["sso", "mfa"], True)
        assert "mfa_time" not in claims
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        refused = await client.delete("/v1/auth/mfa/totp", headers=headers)
        assert problem(refused) == (401, "step_up_required")
        assert refused.json()["methods"] == ["totp", "recovery_code"]

    @pytest.mark.parametrize(("trusts", "amr"), [(False, ["pwd", "mfa"]), (True, ["pwd", "otp"]), (True, None)])
    async def test_is_not_believed_otherwise(
        self, client: httpx.AsyncClient, playing: HostileProvider, clock: MovableClock, amr: Any
    ) -> None:
        first = await self.signed_on(client, playing)
        await enrol_app(client, {"Authorization": f"Bearer {first['access_token']}"}, clock)
        assert (await self.signed_on(client, playing, amr=amr)).get("mfa_required") is True

    async def test_says_it_in_vain_where_nothing_is_signed(
        self, client: httpx.AsyncClient, playing: HostileProvider, clock: MovableClock
    ) -> None:
        first = await self.signed_on(client, playing)
        await enrol_app(client, {"Authorization": f"Bearer {first['access_token']}"}, clock)
        playing.user_info = {"sub": "mallory", "email": "amina@example.com", "email_verified": True, "amr": ["mfa"]}
        assert (await self.signed_on(client, playing, email=None)).get("mfa_required") is True
