"""The queue of reviewers, providers that decide, and approvals that end."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.commands.check_kyc import check_kyc
from services.auth.commands.expire_kyc import expire_kyc
from shared.service import Service
from tests.service.auth.conftest import KYC, MovableClock, Person, Sent, problem


async def submit(client: httpx.AsyncClient, person: Person, **changes: Any) -> str:
    answer = await client.post("/v1/kyc", json=KYC | changes, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def support(client: httpx.AsyncClient, baraka: Person, owner: asyncpg.Connection) -> Person:
    await owner.execute("UPDATE auth.users SET roles = '{user,support}' WHERE id = $1", baraka.id)
    return baraka


async def status(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/v1/kyc", headers=person.headers)).json()
    return found


async def test_a_claim_keeps_others_away_for_half_an_hour(
    client: httpx.AsyncClient, amina: Person, admin: Person, support: Person, clock: MovableClock
) -> None:
    url = f"/v1/admin/kyc/{await submit(client, amina)}"

    async def queue(who: Person, claimed: str) -> int:
        answer = await client.get("/v1/admin/kyc", params={"claimed": claimed, "order": "oldest"}, headers=who.headers)
        return len(answer.json()["items"])

    assert (await queue(support, "nobody"), await queue(support, "me")) == (1, 0)
    assert (await client.post(f"{url}/claim", headers=support.headers)).json()["claimed_by"] == str(support.id)
    assert (await queue(admin, "nobody"), await queue(support, "me"), await queue(admin, "me")) == (0, 1, 0)
    for what in ("claim", "release", "approve"):
        assert problem(await client.post(f"{url}/{what}", headers=admin.headers)) == (409, "kyc_claimed")
    assert problem(await client.post(f"{url}/claim", headers=amina.headers)) == (403, "forbidden")
    clock.ahead += timedelta(minutes=31)
    assert await queue(admin, "nobody") == 1
    approved = await client.post(f"{url}/approve", json={"level": 3}, headers=admin.headers)
    assert (approved.status_code, approved.json()["level"], approved.json()["claimed_by"]) == (200, 3, None)
    assert problem(await client.post(f"{url}/claim", headers=support.headers)) == (409, "kyc_already_decided")


async def test_a_released_claim_is_free_for_others(
    client: httpx.AsyncClient, amina: Person, admin: Person, support: Person
) -> None:
    url = f"/v1/admin/kyc/{await submit(client, amina)}"
    for what in ("claim", "claim", "release", "release"):
        assert (await client.post(f"{url}/{what}", headers=support.headers)).status_code == 200
    assert (await client.post(f"{url}/approve", headers=admin.headers)).json()["status"] == "approved"


async def end_in(owner: asyncpg.Connection, days: int) -> date:
    """As if the time had come: every approval ends so many days from now."""
    last_day = datetime.now(UTC).date() + timedelta(days=days)
    await owner.execute("UPDATE auth.kyc_submissions SET expires_on = $1 WHERE status = 'approved'", last_day)
    return last_day


async def test_levels_go_up_and_down_and_everybody_is_told(
    service: Service, client: httpx.AsyncClient, amina: Person, admin: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    assert (await status(client, amina))["level"] == 0
    url = f"/v1/admin/kyc/{await submit(client, amina)}"
    approved = (await client.post(f"{url}/approve", headers=admin.headers)).json()
    assert (approved["level"], (await status(client, amina))["level"]) == (2, 2)
    assert date.fromisoformat(approved["expires_on"]) > datetime.now(UTC).date() + timedelta(days=700)

    await expire_kyc(service.context)
    assert not await sent("auth.kyc.expiring")
    again = await client.post("/v1/kyc", json=KYC, headers=amina.headers)
    assert problem(again) == (409, "kyc_already_approved")

    last_day = await end_in(owner, 10)
    for _ in range(2):
        await expire_kyc(service.context)
    (reminder,) = await sent("auth.kyc.expiring")
    assert (reminder["user_id"], reminder["expires_on"]) == (str(amina.id), last_day.isoformat())
    assert not await sent("auth.kyc.expired")

    await end_in(owner, -1)
    for _ in range(2):
        await expire_kyc(service.context)
    (expired,) = await sent("auth.kyc.expired")
    assert expired["user_id"] == str(amina.id)
    assert [event["level"] for event in await sent("auth.kyc.level_changed")] == [2, 0]
    now = await status(client, amina)
    assert (now["status"], now["level"], now["renewable"]) == ("expired", 0, True)
    await submit(client, amina)
    assert [event["renewal"] for event in await sent("auth.kyc.submitted")] == [False, False]


async def test_who_renews_in_time_stays_confirmed(
    service: Service, client: httpx.AsyncClient, amina: Person, admin: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    first = await submit(client, amina)
    await client.post(f"/v1/admin/kyc/{first}/approve", headers=admin.headers)
    await end_in(owner, 10)
    second = await submit(client, amina)
    assert (await sent("auth.kyc.submitted"))[-1]["renewal"]
    assert (await client.post(f"/v1/admin/kyc/{second}/approve", headers=admin.headers)).status_code == 200
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    await owner.execute("UPDATE auth.kyc_submissions SET expires_on = $1 WHERE id = $2", yesterday, UUID(first))
    await expire_kyc(service.context)
    assert not await sent("auth.kyc.expired")
    assert (await status(client, amina))["status"] == "approved"


class TestTheSandboxDecides:
    @pytest.fixture
    def settings_changes(self) -> dict[str, Any]:
        return {"auth_kyc_provider": "sandbox"}

    @pytest.mark.parametrize(
        ("number", "becomes"), [("A1234567", "approved"), ("FAIL-1", "rejected"), ("MANUAL-1", "pending"), ("SLOW-1", "pending")]
    )
    async def test_by_the_number(
        self, service: Service, client: httpx.AsyncClient, amina: Person, sent: Sent, number: str, becomes: str
    ) -> None:
        await submit(client, amina, document_number=number)
        for _ in range(2):
            await check_kyc(service.context)
        assert (await status(client, amina))["status"] == becomes
        told = {name: len(await sent(f"auth.kyc.{name}")) for name in ("approved", "rejected")}
        assert told == {"approved": int(becomes == "approved"), "rejected": int(becomes == "rejected")}

    async def test_what_it_cannot_decide_a_reviewer_does(
        self, service: Service, client: httpx.AsyncClient, amina: Person, admin: Person, owner: asyncpg.Connection
    ) -> None:
        kyc_id = await submit(client, amina, document_number="MANUAL-1")
        await check_kyc(service.context)
        answer = await client.post(f"/v1/admin/kyc/{kyc_id}/approve", headers=admin.headers)
        assert (answer.status_code, answer.json()["decided_by"]) == (200, str(admin.id))
        assert await owner.fetchval("SELECT provider FROM auth.kyc_submissions WHERE id = $1", UUID(kyc_id)) is None

    async def test_a_reviewer_who_was_quicker_wins(
        self, service: Service, client: httpx.AsyncClient, amina: Person, admin: Person
    ) -> None:
        kyc_id = await submit(client, amina, document_number="FAIL-1")
        await client.post(f"/v1/admin/kyc/{kyc_id}/claim", headers=admin.headers)
        await check_kyc(service.context)
        assert (await status(client, amina))["status"] == "pending"
