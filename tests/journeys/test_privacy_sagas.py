"""Copies and leaving while services are down, object, say things twice or too late: on RabbitMQ, a worker for each."""

import asyncio
import io
import json
import secrets
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from runtime.services import consumer_tables
from services.auth.commands.collect_export import sweep_exports
from services.auth.commands.settle_erasure import sweep_erasures
from services.auth.main import build as build_auth
from services.auth.settings import Settings as AuthSettings
from services.lending.main import build as build_lending
from services.lending.settings import Settings as LendingSettings
from services.notifications.main import build as build_notifications
from services.notifications.settings import Settings as NotificationsSettings
from services.payments.main import build as build_payments
from services.payments.settings import Settings as PaymentsSettings
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.main import build as build_ledger
from services.wallet_ledger.settings import Settings as LedgerSettings
from shared.contracts.auth.privacy_messages import AnswerErasure, DeliverExportPart, ReportErasure
from shared.ids import new_id
from shared.messaging.envelope import Envelope, Message
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.worker import MessagingWorker
from shared.service import Platform, Service
from tests.service.auth.conftest import MovableClock, log_in, problem
from tests.support.identity import OneKeyVerifier
from tests.support.platforms import remove_queues

pytestmark = pytest.mark.rabbitmq

PERSON = {"email": "wema@example.org", "password": "a long enough secret", "full_name": "Wema Chebet"}
OTHERS = {"wallet_ledger", "lending", "payments", "notifications"}
_PATIENCE_SECONDS = 90
_ROUND = timedelta(seconds=61)


@dataclass
class Stage:
    """Five services that share a broker and a database, each of which can be down."""

    services: dict[str, Service]
    transport: Callable[[], RabbitTransport]
    clock: MovableClock
    http: httpx.AsyncClient
    owner: asyncpg.Connection
    workers: dict[str, MessagingWorker] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    async def up(self, *names: str) -> None:
        for name in names:
            self.workers[name] = MessagingWorker(self.transport(), [self.services[name]])
            await self.workers[name].start(platform=consumer_tables())

    async def down(self, *names: str) -> None:
        for name in names:
            await self.workers.pop(name).stop(drain_seconds=5)

    async def join(self) -> UUID:
        """Somebody registers, and everybody has heard of it."""
        answer = await self.http.post("/v1/auth/register", json=PERSON)
        tokens = await log_in(self.http, PERSON["email"], PERSON["password"])
        self.headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        user_id = UUID(answer.json()["id"])
        for known in ("wallet_ledger.wallets", "lending.people", "notifications.contacts"):
            await self.until(f"SELECT count(*) FROM {known} WHERE user_id = $1", 1, user_id)
        return user_id

    async def until(self, query: str, wanted: object, *values: object) -> None:
        await self.until_it_is(lambda: self.owner.fetchval(query, *values), wanted)

    async def until_it_is(self, look: Callable[[], Awaitable[Any]], wanted: object) -> None:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while (found := await look()) != wanted:
            assert asyncio.get_running_loop().time() < deadline, f"still {found!r} instead of {wanted!r}"
            await asyncio.sleep(0.02)

    async def saga(self, kind: str) -> dict[str, Any]:
        """The newest saga of a kind: its state, and what it remembers."""
        row = await self.owner.fetchrow(
            "SELECT state, data FROM auth.sagas WHERE kind = $1 ORDER BY created_at DESC, id DESC LIMIT 1", kind
        )
        return json.loads(row["data"]) | {"state": row["state"]}

    async def until_remembered(self, kind: str, what: str, names: set[str]) -> None:
        """Wait until these services, and no others, have answered or reported."""

        async def so_far() -> set[str]:
            return set((await self.saga(kind))[what])

        await self.until_it_is(so_far, names)

    async def until_state(self, kind: str, state: str) -> None:
        async def now() -> Any:
            return (await self.saga(kind))["state"]

        await self.until_it_is(now, state)

    async def say(self, message: Message) -> None:
        """Send auth a message that nobody's outbox has, and wait until auth has dealt with it."""
        envelope = Envelope.of(
            message, id=new_id(), source="test", time=datetime.now(UTC), aggregate_id=new_id(), correlation_id="test"
        )
        await self.repeat(envelope)
        await self.until("SELECT count(*) FROM auth.inbox WHERE message_id = $1", 1, envelope.id)

    async def repeat(self, envelope: Envelope) -> None:
        """Publish a message, again as the case may be."""
        transport = self.transport()
        await transport.start()
        try:
            await transport.publish(envelope)
        finally:
            await transport.stop(drain_seconds=1)

    async def said(self, name: str, message: type[Message]) -> list[Envelope]:
        """What a service wrote into its outbox, oldest first."""
        rows = await self.owner.fetch(f"SELECT envelope FROM {name}.outbox WHERE type = $1 ORDER BY id", message.type)
        return [Envelope.from_json(row["envelope"]) for row in rows]

    async def nothing_is_dead(self) -> None:
        for name in self.services:
            await self.until(f"SELECT count(*) FROM {name}.outbox WHERE published_at IS NULL", 0)
            assert await self.owner.fetchval(f"SELECT count(*) FROM {name}.dead_letters") == 0, name


@pytest.fixture
async def stage(database_url: str, amqp_url: str, owner: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[Stage]:
    clock, prefix = MovableClock(), f"lendery-test-{secrets.token_hex(6)}"
    common: dict[str, Any] = {"env": "test", "database_url": database_url}
    platform = Platform(clock, OneKeyVerifier())
    cheap = {"auth_hash_memory_kib": 8, "auth_hash_rounds": 1, "auth_quiet_seconds": 0, "auth_privacy_patience_seconds": 0}
    files = (tmp_path / "files").as_uri()
    services = {
        "auth": build_auth(AuthSettings(**common, **cheap, storage_url=files), platform),
        "wallet_ledger": build_ledger(LedgerSettings(**common), platform),
        "lending": build_lending(LendingSettings(**common), platform),
        "payments": build_payments(PaymentsSettings(**common), platform),
        "notifications": build_notifications(NotificationsSettings(**common), platform),
    }
    async with AsyncExitStack() as exits:
        exits.push_async_callback(remove_queues, amqp_url, prefix)
        for service in services.values():
            exits.push_async_callback(service.database.dispose)
            if service.resources is not None:
                await exits.enter_async_context(service.resources())
        inside = httpx.ASGITransport(services["auth"].app, client=("203.0.113.7", 4711))
        http = await exits.enter_async_context(httpx.AsyncClient(transport=inside, base_url="http://auth.internal"))
        stage = Stage(services, lambda: RabbitTransport(amqp_url, prefix=prefix), clock, http, owner)
        await stage.up(*services)
        try:
            yield stage
        finally:
            await stage.down(*list(stage.workers))


async def test_a_copy_waits_for_a_service_that_is_down(stage: Stage) -> None:
    await stage.join()
    await stage.down("payments")
    assert (await stage.http.get("/v1/me/export", headers=stage.headers)).status_code == 202
    await stage.until_remembered("export", "answered", {"auth", *OTHERS} - {"payments"})
    stage.clock.ahead += _ROUND
    await sweep_exports(stage.services["auth"].context)
    await stage.until_it_is(lambda: _count(stage.said("lending", DeliverExportPart)), 2)
    assert (await stage.saga("export"))["state"] == "collecting"

    await stage.up("payments")
    await stage.until_state("export", "ready")
    archive = await stage.http.get("/v1/me/export", headers=stage.headers)
    assert archive.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert {name.split("/")[0] for name in opened.namelist()} == {"auth", *OTHERS, "manifest.json", "README.txt"}
        assert json.loads(opened.read("notifications/contact.json"))[0]["email"] == PERSON["email"]

    (first, *_) = await stage.said("lending", DeliverExportPart)
    await stage.repeat(first)  # the same message again
    await stage.say(DeliverExportPart(**first.data))  # and what it said, in another that comes too late
    assert (await stage.http.get("/v1/me/export", headers=stage.headers)).content == archive.content
    await stage.nothing_is_dead()


async def test_leaving_waits_for_services_that_are_down(stage: Stage) -> None:
    user_id = await stage.join()
    await stage.down("lending")
    waiting = await stage.http.delete("/v1/me", headers=stage.headers)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "checking")
    await stage.until_remembered("erasure", "answered", OTHERS - {"lending"})
    assert (await stage.http.get("/v1/me", headers=stage.headers)).status_code == 200

    await stage.down("notifications")  # it has agreed, and is away when it is to act
    await stage.up("lending")
    await stage.until_state("erasure", "erasing")
    await stage.until_remembered("erasure", "reports", {"auth", *OTHERS} - {"notifications"})
    stage.clock.ahead += _ROUND
    await sweep_erasures(stage.services["auth"].context)
    await stage.until_it_is(lambda: _count(stage.said("payments", ReportErasure)), 2)
    assert (await stage.saga("erasure"))["state"] == "erasing"

    await stage.up("notifications")
    await stage.until_state("erasure", "erased")
    await stage.until(
        "SELECT count(*) FROM notifications.contacts WHERE user_id = $1 AND email IS DISTINCT FROM NULL", 0, user_id
    )
    erasure = await stage.saga("erasure")
    assert set(erasure["reports"]) == {"auth", *OTHERS}
    report = await stage.owner.fetchval("SELECT report FROM auth.privacy_requests WHERE id = $1", UUID(erasure["erasure_id"]))
    assert report.count(".") == 2

    (first, *_) = await stage.said("payments", ReportErasure)
    await stage.repeat(first)
    await stage.say(ReportErasure(**first.data | {"erased": {"late": 1}}))
    await stage.say(AnswerErasure(erasure_id=UUID(erasure["erasure_id"]), service="lending", blockers=[]))
    assert await stage.saga("erasure") == erasure
    assert await stage.owner.fetchval("SELECT report FROM auth.privacy_requests WHERE kind = 'erasure'") == report
    await stage.nothing_is_dead()


async def test_one_objection_among_four_answers_refuses_for_all(stage: Stage) -> None:
    user_id = await stage.join()
    wallet_id = await stage.owner.fetchval("SELECT id FROM wallet_ledger.wallets WHERE user_id = $1", user_id)
    money = Transfer(new_id(), "provider:sandbox:KES", f"wallet:{wallet_id}", 700, "KES")
    poster = stage.services["wallet_ledger"].context.poster
    assert (await poster.post(Transaction(new_id(), "tests", "a", bytes(32), "deposit", (money,)))).posted
    await stage.down("wallet_ledger")
    assert (await stage.http.delete("/v1/me", headers=stage.headers)).status_code == 202
    await stage.until_remembered("erasure", "answered", OTHERS - {"wallet_ledger"})
    (agreed,) = await stage.said("lending", AnswerErasure)
    await stage.say(AnswerErasure(**agreed.data))  # said twice, it is not two who agree
    assert (await stage.saga("erasure"))["state"] == "checking"

    await stage.up("wallet_ledger")
    await stage.until_state("erasure", "refused")
    erasure = await stage.saga("erasure")
    assert [one["code"] for one in erasure["blockers"]] == ["wallet_not_empty"]
    late = AnswerErasure(erasure_id=UUID(erasure["erasure_id"]), service="wallet_ledger", blockers=[])
    await stage.say(late)  # a change of mind that comes too late
    assert await stage.saga("erasure") == erasure
    me = await stage.http.get("/v1/me", headers=stage.headers)
    assert (me.status_code, me.json()["full_name"]) == (200, PERSON["full_name"])
    assert await stage.owner.fetchval("SELECT count(*) FROM auth.outbox WHERE type = 'auth.erasure.decided'") == 0
    again = await stage.http.delete("/v1/me", headers=stage.headers | {"Prefer": "wait=20"})
    assert problem(again) == (409, "erasure_refused")
    await stage.nothing_is_dead()


async def _count(found: Awaitable[list[Any]]) -> int:
    return len(await found)
