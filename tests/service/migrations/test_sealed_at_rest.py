"""The migrations auth_0006, lending_0003 and notifications_0004, of a platform that people use: everybody gets in as before, and
once the services' jobs have run nothing of what was in clear is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

import services.auth.main
import services.lending.main
import services.notifications.main
from migrations.runner import migrate
from services.auth.passwords import Passwords
from services.auth.settings import Settings as AuthSettings
from services.auth.store.links import Links
from services.lending.settings import Settings as LendingSettings
from services.notifications.settings import Settings as NotificationsSettings
from shared.clock import SystemClock
from shared.service import Platform, Service
from tests.support.at_rest import columns_with
from tests.support.identity import OneKeyVerifier

LEFT_AT = (
    "auth_0005",
    "lending_0002",
    "notifications_0003",
)

AMINA, LINK, IDENTITY, CLIENT, SESSION, ASSESSMENT, LETTER, EVENT_LETTER = (UUID(int=number) for number in range(1, 9))
EMAIL, PASSWORD, ADDRESS, INCOME = "amina-4711@example.com", "a long enough secret", "203.0.113.77", 98_765_432
NOW = datetime.now(UTC)
INPUTS: dict[str, Any] = {
    "employment_status": "employed",
    "annual_income_minor": INCOME,
    "monthly_obligations_minor": 1_000,
    "installment_minor": 0,
    "loans_repaid": 0,
    "worst_days_past_due": 0,
    "defaults": 0,
    "months_since_first_loan": None,
    "recent_inquiries": 0,
    "outstanding_here_minor": 0,
    "verification": "email",
}
FACTOR = {"factor": "verification", "points": 0, "best_points": 25, "reason": "r-4711", "advice": "a", "next_points": 15}


@pytest.fixture
def built(old_database: str, tmp_path: Path) -> dict[str, Service]:
    """The services of this version, not running."""
    common: dict[str, Any] = {"env": "test", "database_url": old_database}
    hashing: dict[str, Any] = {"auth_hash_memory_kib": 8, "auth_hash_rounds": 1, "auth_quiet_seconds": 0}
    platform = Platform(SystemClock(), OneKeyVerifier())
    return {
        "auth": services.auth.main.build(AuthSettings(**common, **hashing, storage_url=(tmp_path / "files").as_uri()), platform),
        "lending": services.lending.main.build(LendingSettings(**common), platform),
        "notifications": services.notifications.main.build(NotificationsSettings(**common), platform),
    }


async def _use_it(owner: asyncpg.Connection, password_hash: str) -> None:
    """What the version before wrote."""
    await owner.execute(
        """INSERT INTO auth.users (id, email, password_hash, full_name, language, time_zone, home_currency, roles, status,
            created_at, updated_at) VALUES ($1, $2, $3, 'Amina', 'en', 'UTC', 'KES', ARRAY['user'], 'active', $4, $4)""",
        *(AMINA, EMAIL, password_hash, NOW),
    )
    await owner.execute(
        """INSERT INTO auth.sessions (id, user_id, device, address, methods, authenticated_at, last_used_at, expires_at, carrier)
            VALUES ($1, $2, 'Device-4711', $3, ARRAY['pwd'], $4, $4, $5, 'bearer')""",
        *(SESSION, AMINA, ADDRESS, NOW, NOW + timedelta(days=30)),
    )
    await owner.execute(
        "INSERT INTO auth.mailed_links VALUES ($1, $2, 'verify_email', $3, sha256('s'), $4, $5)",
        *(LINK, AMINA, EMAIL, NOW, NOW + timedelta(days=1)),
    )
    await owner.execute(
        "INSERT INTO auth.identities (id, user_id, provider, issuer, subject, email, linked_at) "
        "VALUES ($1, $2, 'tests', 'https://example.com', '7', $3, $4)",
        *(IDENTITY, AMINA, EMAIL, NOW),
    )
    await owner.execute(
        """INSERT INTO auth.api_clients (id, owner_id, name, scopes, status, grant_id, secret_hash, created_at, updated_at,
            last_used_address) VALUES ($1, $2, 'Shop', ARRAY['wallets:read'], 'active', $1, sha256('s'), $3, $3, $4)""",
        *(CLIENT, AMINA, NOW, ADDRESS),
    )
    await owner.execute("INSERT INTO auth.attempts VALUES ('account', sha256($1), 3, $2)", EMAIL.encode(), NOW)
    await owner.execute(
        "INSERT INTO lending.credit_assessments VALUES ($1, $2, 'KES', 'scorecard-1', $3, 500, 0.5, 'C', 0.2, $4, $5, $6)",
        *(ASSESSMENT, AMINA, json.dumps(INPUTS), json.dumps([FACTOR]), NOW, NOW + timedelta(days=90)),
    )
    await owner.execute("INSERT INTO notifications.contacts VALUES ($1, $2, 'Amina', 'en', $3)", AMINA, EMAIL, NOW)
    await owner.executemany(
        """INSERT INTO notifications.emails (id, dedupe_key, user_id, template, recipient, secret, status, next_attempt_at,
            give_up_at, created_at, settled_at)
            VALUES ($1, gen_random_uuid()::text, $2, 'welcome', $3, false, 'sent', $4, $4, $4, $4)""",
        [(LETTER, None, EMAIL, NOW), (EVENT_LETTER, AMINA, EMAIL, NOW)],
    )


async def test_people_get_in_as_before_and_nothing_stays_in_clear(old_database: str, built: dict[str, Service]) -> None:
    owner = await asyncpg.connect(old_database)
    auth, lending, notifications = (built[name] for name in ("auth", "lending", "notifications"))
    passwords: Passwords = auth.context.passwords
    await _use_it(owner, await passwords.hash(PASSWORD))
    words = (EMAIL, ADDRESS, "Device-4711", str(INCOME), "r-4711")
    assert len(await columns_with(owner, words)) == 10

    await migrate(old_database)

    try:
        transport = httpx.ASGITransport(auth.app, client=("198.51.100.1", 4711))
        assert auth.resources is not None
        async with auth.resources(), httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as client:
            assert "auth.users.email" not in await columns_with(owner, words), "whom one is found by is sealed at the start"
            await _gets_in(client)
            for service in built.values():
                (job,) = [job for job in service.jobs if job.name == "seal what is clear"]
                await job.run(service.context)
            assert await columns_with(owner, words) == set()
            await _gets_in(client)
        await _everything_is_there(owner, auth, lending, notifications)
    finally:
        await owner.close()
        for service in built.values():
            await service.database.dispose()


async def _gets_in(client: httpx.AsyncClient) -> None:
    taken = {"email": EMAIL.upper(), "password": "somebody else's", "full_name": "Mallory"}
    assert (await client.post("/v1/auth/register", json=taken)).status_code == 201
    answer = await client.post("/v1/auth/login", json={"email": EMAIL.title(), "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["id"], me["email"]) == (str(AMINA), EMAIL), "the account is the old one"
    sessions = (await client.get("/v1/auth/sessions", headers=headers)).json()["items"]
    assert (sessions[-1]["address"], sessions[-1]["device"]) == (ADDRESS, "Device-4711")
    clients = (await client.get("/v1/api-clients", headers=headers)).json()["items"]
    assert [one["last_used_address"] for one in clients] == [ADDRESS]
    identities = (await client.get("/v1/auth/identities", headers=headers)).json()["items"]
    assert [one["email"] for one in identities] == [EMAIL]


async def _everything_is_there(owner: asyncpg.Connection, auth: Service, lending: Service, notifications: Service) -> None:
    assert await owner.fetchval("SELECT count(*) FROM auth.users WHERE 'admin' <> ALL (roles)") == 1
    async with auth.context.unit_of_work() as work:
        assert await work.sessions.used_from(AMINA, ADDRESS, since=NOW - timedelta(days=1))
        assert not await work.sessions.used_from(AMINA, "203.0.113.78", since=NOW - timedelta(days=1))
        links: Links = work.links
        link = await links.find("verify_email", await owner.fetchval("SELECT sha256('s')"))
        assert link is not None
        assert link.email == EMAIL
    async with lending.context.read() as reading:
        assessment = await reading.assessments.current(AMINA, NOW, "KES")
        assert assessment.inputs.annual_income_minor == INCOME
        assert [factor.reason for factor in assessment.score.factors] == ["r-4711"]
    async with notifications.context.unit_of_work() as work:
        assert (await work.contacts.find(AMINA)).email == EMAIL
    owners = await owner.fetch("SELECT id, user_id FROM notifications.emails ORDER BY id")
    assert [tuple(row) for row in owners] == [(LETTER, AMINA), (EVENT_LETTER, AMINA)], "letters to her address are hers"
