"""Logged out is logged out: the gateway knows within moments, on both transports, and without either by asking."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from gateway.main import build as build_gateway
from gateway.settings import Settings as GatewaySettings
from services.auth.main import build as build_auth
from services.auth.settings import Settings as AuthSettings
from shared.clock import SystemClock
from shared.identity.jwks import TokenVerifier
from shared.identity.revocation_feed import RevocationFeed
from shared.identity.tokens import TokenRules
from shared.messaging.local import LocalTransport
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.transport import Transport
from shared.messaging.worker import MessagingWorker
from shared.problems import Unauthenticated
from shared.service import Platform, Service
from tests.service.auth.conftest import PASSWORD
from tests.service.gateway.conftest import serving
from tests.support.cuttable import proxy_to
from tests.support.platforms import remove_queues

NEVER = 3600.0
_SOON_SECONDS = 60.0  # of a loaded machine; an idle one needs milliseconds


@dataclass
class Ways:
    """How auth and the gateway hear of each other: their transports, and how often the gateway asks besides."""

    auth: Transport
    gateway: Callable[[], Transport]
    every_seconds: float = NEVER


@pytest.fixture(params=["local", "asking", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
async def ways(request: pytest.FixtureRequest) -> AsyncIterator[Ways]:
    if request.param == "rabbitmq":
        url, prefix = request.getfixturevalue("amqp_url"), f"lendery-test-{secrets.token_hex(6)}"
        yield Ways(RabbitTransport(url, prefix=prefix), lambda: RabbitTransport(url, prefix=prefix))
        await remove_queues(url, prefix)
    elif request.param == "local":
        transport = LocalTransport()
        yield Ways(transport, lambda: transport)
    else:
        yield Ways(LocalTransport(), LocalTransport, every_seconds=0.2)


@dataclass
class Stage:
    """Auth and a gateway that shares nothing with it but the wire."""

    auth: Service
    auth_url: str
    http: httpx.AsyncClient
    verifier: TokenVerifier

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Through the gateway. While it says that it did not get through (a machine that is far too busy), again."""
        deadline = time.monotonic() + _SOON_SECONDS
        while True:
            answer = await self.http.request(method, path, **request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(0.2)

    async def log_in(self) -> dict[str, Any]:
        answer = await self.call("POST", "/v1/auth/login", json={"email": "amina@example.com", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def get_sessions(self, tokens: dict[str, Any]) -> httpx.Response:
        """Something that auth would answer for as long as it believed in the session."""
        return await self.call("GET", "/v1/kyc", headers=bearer(tokens))

    async def until_the_gateway_refuses(self, tokens: dict[str, Any], code: str) -> None:
        """Ask the gateway's own memory, not auth, which has known since its commit."""
        deadline = time.monotonic() + _SOON_SECONDS
        while True:
            try:
                await self.verifier.verify(tokens["access_token"])
            except Unauthenticated as problem:
                heard = problem.code
                break
            assert time.monotonic() < deadline, "the gateway has not heard"
            await asyncio.sleep(0.01)
        assert heard == code
        answer = await self.get_sessions(tokens)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.fixture
async def stage(database_url: str, ways: Ways) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(_stage(database_url, ways))


@asynccontextmanager
async def _stage(database_url: str, ways: Ways) -> AsyncIterator[Stage]:
    settings = AuthSettings(
        env="test",
        database_url=database_url,
        auth_hash_memory_kib=8,
        auth_hash_rounds=1,
        auth_quiet_seconds=0,
        auto_verify=True,
    )
    rules = TokenRules(settings.token_issuer, settings.token_audience)
    auth = build_auth(settings, Platform(SystemClock(), TokenVerifier("", rules)))
    assert auth.resources is not None
    worker = MessagingWorker(ways.auth, [auth])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(auth.database.dispose)
        await stack.enter_async_context(auth.resources())
        auth_url = (await stack.enter_async_context(serving(auth.app))).url
        await worker.start()
        stack.push_async_callback(worker.stop, drain_seconds=1)
        verifier = TokenVerifier(f"{auth_url}/.well-known/jwks.json", rules)
        await stack.enter_async_context(_following(verifier, auth_url, ways))
        names = ("auth", "wallet_ledger", "lending", "payments", "notifications")
        urls = {f"{name}_url": auth_url for name in names}
        app = build_gateway(GatewaySettings(redis_url=None, **urls), Platform(SystemClock(), verifier))
        url = (await stack.enter_async_context(serving(app))).url
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=10, trust_env=False))
        person = {"email": "amina@example.com", "password": PASSWORD, "full_name": "Amina Wanjiru"}
        stage = Stage(auth, auth_url, http, verifier)
        assert (await stage.call("POST", "/v1/auth/register", json=person)).status_code == 201
        yield stage


@asynccontextmanager
async def _following(verifier: TokenVerifier, auth_url: str, ways: Ways) -> AsyncIterator[None]:
    transport = ways.gateway()
    feed = RevocationFeed(verifier.revocations, f"{auth_url}/internal/revocations", transport, every_seconds=ways.every_seconds)
    await feed.start()
    try:
        yield
    finally:
        await feed.stop()
        if transport is not ways.auth:
            await transport.stop(drain_seconds=0)


async def test_a_session_that_was_logged_out(stage: Stage) -> None:
    tokens, other = await stage.log_in(), await stage.log_in()
    assert (await stage.get_sessions(tokens)).status_code == 200
    assert (await stage.call("POST", "/v1/auth/logout", headers=bearer(tokens))).status_code == 204
    await stage.until_the_gateway_refuses(tokens, "session_ended")
    assert (await stage.get_sessions(other)).status_code == 200


async def test_all_other_sessions_and_a_new_password(stage: Stage) -> None:
    here, there, elsewhere = [await stage.log_in() for _ in range(3)]
    assert (await stage.call("DELETE", "/v1/auth/sessions", headers=bearer(here))).status_code == 204
    await stage.until_the_gateway_refuses(there, "session_ended")
    await stage.until_the_gateway_refuses(elsewhere, "session_ended")
    again = await stage.log_in()
    change = {"current_password": PASSWORD, "new_password": "another long enough secret"}
    assert (await stage.call("POST", "/v1/auth/password/change", json=change, headers=bearer(here))).status_code == 204
    await stage.until_the_gateway_refuses(again, "session_ended")
    assert (await stage.get_sessions(here)).status_code == 200, "the one that changed it goes on"


async def test_a_revoked_signing_key(stage: Stage) -> None:
    from services.auth.commands.rotate_keys import revoke_key
    from services.auth.domain.origin import SYSTEM

    tokens = await stage.log_in()
    assert (await stage.get_sessions(tokens)).status_code == 200
    (old,) = (await stage.call("GET", "/.well-known/jwks.json")).json()["keys"]
    await revoke_key(stage.auth.context, old["kid"], "a test", SYSTEM, None)
    (new,) = (await stage.call("GET", "/.well-known/jwks.json")).json()["keys"]
    assert new["kid"] != old["kid"]
    await stage.until_the_gateway_refuses(tokens, "unauthenticated")
    renewed = await stage.call("POST", "/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200, "nobody is logged out by it"
    assert (await stage.get_sessions(renewed.json())).status_code == 200


async def test_a_gateway_that_starts_later_knows_it_too(stage: Stage, ways: Ways) -> None:
    tokens = await stage.log_in()
    assert (await stage.call("POST", "/v1/auth/logout", headers=bearer(tokens))).status_code == 204
    late = TokenVerifier(f"{stage.auth_url}/.well-known/jwks.json", stage.verifier._rules)
    async with _following(late, stage.auth_url, ways):
        with pytest.raises(Exception, match="Log in again") as caught:
            await late.verify(tokens["access_token"])
    assert caught.value.code == "session_ended"  # type: ignore[attr-defined]


@pytest.mark.rabbitmq
async def test_what_was_missed_while_the_broker_was_away(database_url: str, amqp_url: str) -> None:
    """The listener's connection breaks, the event passes by unheard, and comes with the next connection."""
    prefix, target = f"lendery-test-{secrets.token_hex(6)}", make_url(amqp_url)
    async with proxy_to(target.host or "127.0.0.1", target.port or 5672) as proxy:
        through = target.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        ways = Ways(RabbitTransport(amqp_url, prefix=prefix), lambda: RabbitTransport(through, prefix=prefix))
        async with _stage(database_url, ways) as stage:
            tokens = await stage.log_in()
            assert (await stage.get_sessions(tokens)).status_code == 200
            proxy.refusing = True
            proxy.cut()
            assert (await stage.call("POST", "/v1/auth/logout", headers=bearer(tokens))).status_code == 204
            proxy.refusing = False
            await stage.until_the_gateway_refuses(tokens, "session_ended")
    await remove_queues(amqp_url, prefix)


async def test_nobody_outside_can_ask(stage: Stage) -> None:
    async with httpx.AsyncClient(trust_env=False) as inside:
        assert (await inside.get(f"{stage.auth_url}/internal/revocations")).status_code == 200
    for path in ("/internal/revocations", "/v1/auth/../../internal/revocations", "/v1/auth/pages/../../../internal/revocations"):
        assert (await stage.http.get(httpx.URL(str(stage.http.base_url), raw_path=path.encode()))).status_code in (400, 404), path
