"""Auth and notifications understand each other: everything that auth really writes to its outbox is told."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from services.auth.main import build
from services.auth.settings import Settings
from services.notifications.consumers import CONSUMERS
from shared.clock import SystemClock
from shared.messaging.envelope import Envelope
from shared.messaging.registry import decode, registry_of
from shared.service import Platform
from tests.service.notifications.conftest import Notifications
from tests.support.identity import OneKeyVerifier, bearer

EMAIL = "amina@example.org"
PASSWORD, OTHER_PASSWORD = "a long enough secret", "another long enough secret"


@pytest.fixture
async def auth(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The real auth service, on the same database."""
    settings = Settings(
        env="test",
        database_url=SecretStr(database_url),
        auth_hash_memory_kib=8,
        auth_hash_rounds=1,
        auth_quiet_seconds=0,
        public_url="https://lendery.example.org",
    )
    service = build(settings, Platform(SystemClock(), OneKeyVerifier()))
    assert service.resources is not None
    transport = httpx.ASGITransport(service.app, client=("203.0.113.7", 4711))
    async with service.resources(), httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as client:
        yield client
    await service.database.dispose()


async def test_every_letter_of_auth_reaches_its_reader(auth: httpx.AsyncClient, notifications: Notifications) -> None:
    """Registering, registering again, forgetting and changing the password: four letters, and a feed."""
    person = {"email": EMAIL, "password": PASSWORD, "full_name": "Amina Wanjiru"}
    for _ in range(2):
        assert (await auth.post("/v1/auth/register", json=person)).status_code == 201
    tokens = (await auth.post("/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await auth.post("/v1/auth/password/forgot", json={"email": EMAIL})).is_success
    change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert (await auth.post("/v1/auth/password/change", json=change, headers=headers)).is_success

    registry = registry_of(CONSUMERS)
    notifications.clock.advance(SystemClock().now() - notifications.clock.now())
    for row in await notifications.owner.fetch("SELECT envelope FROM auth.outbox ORDER BY id"):
        envelope = Envelope.model_validate(json.loads(row["envelope"]))
        if any(known == envelope.type for known, _ in registry):
            assert await notifications.handle(decode(envelope, registry, notifications.context.vault), envelope)
    await notifications.deliver()

    letters = [message for message in notifications.mail.accepted if message["To"] == EMAIL]
    assert [str(message["Subject"]) for message in letters] == [
        "Confirm your e-mail address",
        "You already have an account",
        "Choose a new password",
        "Your password was changed",
    ]
    for message, link in zip(letters, ("/verify-email?token=", "", "/reset-password?token=", ""), strict=True):
        for kind in ("plain", "html"):
            body = message.get_body((kind,))
            assert body is not None
            assert "Hello Amina Wanjiru," in body.get_content()
            assert "https://lendery.example.org" in body.get_content()
            assert link in body.get_content()
    user_id = await notifications.owner.fetchval("SELECT id FROM auth.users WHERE 'admin' <> ALL (roles)")
    assert {row["user_id"] for row in await notifications.emails()} == {user_id}, "found again when she leaves"
    feed = (await notifications.http.get("/v1/notifications", headers=bearer(user_id))).json()["items"]
    assert [entry["title"] for entry in feed] == ["Your password was changed", "Welcome to Lendery"]
