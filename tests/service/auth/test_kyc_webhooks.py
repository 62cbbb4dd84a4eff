"""Companies that check identities call: believed by nobody, kept once, and the company is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from uvicorn import Config, Server

from services.auth.commands.check_kyc import check_kyc
from services.auth.commands.forget_old_rows import forget_old_rows
from services.auth.consumers import CONSUMERS
from services.auth.providers.kyc.base import reference_of
from shared.contracts.auth.kyc_commands import CheckIdentity
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from shared.service import Service
from shared.webhooks import sign
from tests.service.auth.conftest import MovableClock, Person, Sent, at_once, problem
from tests.service.auth.test_kyc_review import status, submit
from tests.support.ports import free_port

SECRET = "kyc-sandbox-local-only"
PATH = "/v1/webhooks/kyc/sandbox-webhook"
Deliver = Callable[[], Awaitable[int]]


class StoppedClock(MovableClock):
    """Stands until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._start = super().now()

    def now(self) -> datetime:
        return self._start + self.ahead


@pytest.fixture
def clock() -> MovableClock:
    return StoppedClock()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings_changes(port: int) -> dict[str, Any]:
    return {"auth_kyc_provider": "sandbox-webhook", "public_url": f"http://127.0.0.1:{port}"}


@pytest.fixture
async def listening(service: Service, port: int) -> AsyncIterator[None]:
    """The service where the provider looks for it. Without this its webhooks are lost."""
    server = Server(Config(service.app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


@pytest.fixture
def deliver(service: Service, sent: Sent) -> Deliver:
    """Hand over what auth has asked of itself since the last time; how much that was."""
    handled = 0

    async def give() -> int:
        nonlocal handled
        waiting = (await sent("auth.kyc.check"))[handled:]
        handled += len(waiting)
        for data in waiting:
            message = CheckIdentity(kyc_id=UUID(data["kyc_id"]))
            envelope = Envelope.of(
                message, id=new_id(), source="auth", time=datetime.now(UTC), aggregate_id=message.kyc_id, correlation_id="test"
            )
            await CONSUMERS[CheckIdentity](service.context, Delivery(envelope, message))
        return len(waiting)

    return give


def event(reference: str, *, key: str = "evt_1", kind: str = "check.approved", **data: Any) -> bytes:
    return json.dumps({"id": key, "type": kind, "data": {"reference": reference, **data}}).encode()


async def call(
    client: httpx.AsyncClient, body: bytes, *, secret: str = SECRET, at: datetime | None = None, **headers: str
) -> httpx.Response:
    signature = sign(secret, at or datetime.now(UTC), body)
    return await client.post(PATH, content=body, headers={"Sandbox-Signature": signature, **headers})


@pytest.mark.parametrize(("number", "becomes"), [("A1234567", "approved"), ("FAIL-1", "rejected")])
async def test_the_company_calls_when_it_knows(
    service: Service,
    client: httpx.AsyncClient,
    listening: None,
    amina: Person,
    owner: asyncpg.Connection,
    deliver: Deliver,
    sent: Sent,
    clock: MovableClock,
    number: str,
    becomes: str,
) -> None:
    await submit(client, amina, document_number=number)
    await check_kyc(service.context)
    assert (await status(client, amina))["status"] == "pending"
    for _ in range(1000):
        if await owner.fetchval("SELECT count(*) FROM auth.kyc_events"):
            break
        await asyncio.sleep(0.01)
    clock.ahead += timedelta(seconds=1)
    assert await deliver() == 1
    assert (await status(client, amina))["status"] == becomes
    assert len(await sent(f"auth.kyc.{becomes}")) == 1


async def test_without_a_webhook_it_is_asked_ever_more_rarely(
    service: Service, client: httpx.AsyncClient, amina: Person, clock: MovableClock, owner: asyncpg.Connection
) -> None:
    kyc_id = UUID(await submit(client, amina, document_number="LOST-1"))
    await check_kyc(service.context)
    assert (await status(client, amina))["status"] == "pending"
    asked = "SELECT next_check_at FROM auth.kyc_submissions WHERE id = $1"
    first = await owner.fetchval(asked, kyc_id)
    clock.ahead += timedelta(seconds=50)
    await check_kyc(service.context)
    assert await owner.fetchval(asked, kyc_id) == first, "too early"
    clock.ahead += timedelta(seconds=11)
    await check_kyc(service.context)
    assert (await status(client, amina))["status"] == "approved"


async def test_an_answer_that_nobody_knows_decides_nothing(
    service: Service,
    client: httpx.AsyncClient,
    amina: Person,
    admin: Person,
    clock: MovableClock,
    deliver: Deliver,
    owner: asyncpg.Connection,
) -> None:
    kyc_id = UUID(await submit(client, amina, document_number="ODD-1"))
    await check_kyc(service.context)
    for key, kind in (("evt_1", "check.under_a_full_moon"), ("evt_2", "check.approved"), ("evt_3", "nothing.known")):
        assert (await call(client, event(reference_of(kyc_id), key=key, kind=kind, verdict="approved"))).status_code == 200
    assert await deliver() == 3
    pauses = []
    for _ in range(12):
        clock.ahead += timedelta(hours=1, seconds=1)
        await check_kyc(service.context)
        due = await owner.fetchval("SELECT next_check_at FROM auth.kyc_submissions WHERE id = $1", kyc_id)
        pauses.append(due - clock.now())
    assert (await status(client, amina))["status"] == "pending"
    assert pauses[-1] > pauses[0]
    assert max(pauses) <= timedelta(hours=1)
    answer = await client.post(f"/v1/admin/kyc/{kyc_id}/approve", headers=admin.headers)
    assert answer.json()["status"] == "approved", "a reviewer can end the waiting"


async def test_the_same_event_many_times_is_asked_about_once(
    client: httpx.AsyncClient, service: Service, amina: Person, deliver: Deliver, owner: asyncpg.Connection, sent: Sent
) -> None:
    kyc_id = UUID(await submit(client, amina))
    body = event(reference_of(kyc_id))
    answers = await at_once(*(call(client, body) for _ in range(8)))
    answers.append(await call(client, body))
    assert {answer.status_code for answer in answers} == {200}
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_events") == 1
    assert await deliver() == 1, "it came before we knew the check's name there, which is no trouble"
    assert await owner.fetchval("SELECT provider_reference FROM auth.kyc_submissions") is not None


async def test_many_events_about_one_check_are_one_decision(
    client: httpx.AsyncClient, service: Service, amina: Person, deliver: Deliver, sent: Sent, clock: MovableClock
) -> None:
    kyc_id = UUID(await submit(client, amina))
    await check_kyc(service.context)
    clock.ahead += timedelta(seconds=1)
    for number in range(3):
        await call(client, event(reference_of(kyc_id), key=f"evt_{number}", kind="check.rejected"))
    assert await deliver() == 3
    assert (await status(client, amina))["status"] == "approved", "what the company answers counts, not what the webhook says"
    assert len(await sent("auth.kyc.approved")) == 1
    await call(client, event(reference_of(kyc_id), key="evt_late"))
    assert await deliver() == 1
    assert len(await sent("auth.kyc.approved")) == 1


async def test_who_was_quicker_is_not_overruled(
    client: httpx.AsyncClient,
    service: Service,
    amina: Person,
    baraka: Person,
    admin: Person,
    deliver: Deliver,
    clock: MovableClock,
) -> None:
    rejected, claimed = [UUID(await submit(client, person)) for person in (amina, baraka)]
    await check_kyc(service.context)
    clock.ahead += timedelta(seconds=1)
    body = {"reason": "The picture cannot be read."}
    assert (await client.post(f"/v1/admin/kyc/{rejected}/reject", json=body, headers=admin.headers)).status_code == 200
    assert (await client.post(f"/v1/admin/kyc/{claimed}/claim", headers=admin.headers)).status_code == 200
    for key, kyc_id in enumerate((rejected, claimed)):
        assert (await call(client, event(reference_of(kyc_id), key=f"evt_{key}"))).status_code == 200
    await deliver()
    assert (await status(client, amina))["status"] == "rejected"
    assert (await status(client, baraka))["status"] == "pending"


async def test_forged_old_and_unreadable_webhooks_are_refused_and_not_kept(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    kyc_id = UUID(await submit(client, amina))
    body, now = event(reference_of(kyc_id)), datetime.now(UTC)
    refused = [
        (await client.post(PATH, content=body), 401, "webhook_signature_invalid"),
        (await call(client, body, secret="guessed"), 401, "webhook_signature_invalid"),
        (await call(client, body, **{"Sandbox-Signature": sign(SECRET, now, body + b" ")}), 401, "webhook_signature_invalid"),
        (await call(client, body, at=now - timedelta(minutes=6)), 400, "webhook_timestamp_invalid"),
        (await call(client, body, at=now + timedelta(minutes=6)), 400, "webhook_timestamp_invalid"),
        (await call(client, b"not json"), 400, "webhook_unreadable"),
        (await call(client, b"[]"), 400, "webhook_unreadable"),
        (await call(client, event("a\x00b")), 400, "webhook_unreadable"),
        (await call(client, b"x" * 70_000), 413, "webhook_too_large"),
        (await client.post(PATH.replace("sandbox-webhook", "sandbox"), content=body), 404, "kyc_provider_not_found"),
    ]
    for answer, code, name in refused:
        assert problem(answer) == (code, name)
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_events") == 0
    assert await sent("auth.kyc.check") == []


async def test_an_event_about_something_unknown_is_kept_and_answered(
    service: Service, client: httpx.AsyncClient, owner: asyncpg.Connection, sent: Sent, clock: MovableClock
) -> None:
    for key, reference in enumerate((reference_of(uuid4()), "kyc_", "somebody", str(uuid4()), "kyc_" + "é" * 32)):
        assert (await call(client, event(reference, key=f"evt_{key}", person="Amina"))).status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_events") == 5
    assert await sent("auth.kyc.check") == []
    assert "Amina" not in str([dict(row) for row in await owner.fetch("SELECT * FROM auth.kyc_events")])
    clock.ahead += timedelta(days=31)
    await forget_old_rows(service.context)
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_events") == 0


class TestACompanyThatFails:
    @pytest.fixture
    def settings_changes(self) -> dict[str, Any]:
        return {"auth_kyc_provider": "sandbox"}

    async def test_does_not_hold_up_the_others(
        self,
        service: Service,
        client: httpx.AsyncClient,
        amina: Person,
        baraka: Person,
        owner: asyncpg.Connection,
        clock: MovableClock,
    ) -> None:
        """The first one cannot even be started: its document is gone."""
        broken, _ = [UUID(await submit(client, person)) for person in (amina, baraka)]
        await owner.execute(
            "INSERT INTO auth.kyc_documents (id, submission_id, media_type, size_bytes) VALUES ($1, $2, 'image/png', 1)",
            uuid4(),
            broken,
        )
        clock.ahead += timedelta(seconds=1)
        await check_kyc(service.context)
        assert (await status(client, baraka))["status"] == "approved"
        assert await owner.fetchval("SELECT next_check_at FROM auth.kyc_submissions WHERE id = $1", broken) is not None
        assert problem(await client.post("/v1/webhooks/kyc/sandbox", content=b"{}")) == (401, "webhook_signature_invalid")
