"""The audit log: one chain for every service, searched, exported and verified."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.checks import CHECKS
from services.auth.commands.append_action import append_action
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from shared.contracts.auth.audit_events import ActionTaken
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from shared.messaging.inbox import AlreadyHandled
from shared.service import Service
from shared.verification import Report, run_checks
from tests.service.auth.conftest import Person

URL = "/v1/admin/audit-log"


def action(**changes: Any) -> ActionTaken:
    values: dict[str, Any] = {
        "id": new_id(),
        "at": datetime.now(UTC),
        "service": "lending",
        "action": "loan.approved",
        "actor_kind": "user",
        "actor_id": new_id(),
        "subject_kind": "loan",
        "subject_id": str(new_id()),
        "request_id": "request-1",
        "before": {"status": "submitted"},
        "after": {"status": "funding", "amount_minor": 10**15, "rate": 0.1, "note": "nul\x00 and é"},
    }
    return ActionTaken(**{**values, **changes})


def delivered(message: ActionTaken) -> Delivery[ActionTaken]:
    envelope = Envelope.of(
        message, id=new_id(), source="lending", time=message.at, aggregate_id=message.id, correlation_id="test"
    )
    return Delivery(envelope, message)


async def append(context: Context, count: int) -> None:
    async with context.unit_of_work() as work:
        for number in range(count):
            await work.audit("thing.done", origin=SYSTEM, actor_id=None, subject_id=str(number))


async def verify(service: Service) -> Report:
    return await run_checks(service.database, CHECKS)


async def test_writers_at_the_same_time_make_one_chain_without_gaps(service: Service, owner: asyncpg.Connection) -> None:
    async def fail() -> None:
        async with service.context.unit_of_work() as work:
            await work.audit("thing.failed", origin=SYSTEM, actor_id=None, subject_id=None)
            raise LookupError

    begun = await owner.fetchval("SELECT count(*) FROM auth.audit_log")
    outcomes = await asyncio.gather(
        *(append(service.context, 2) for _ in range(15)), *(fail() for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(outcome, LookupError) for outcome in outcomes) == 5
    positions = [row["position"] for row in await owner.fetch("SELECT position FROM auth.audit_log ORDER BY position")]
    assert positions == list(range(1, begun + 31))
    assert not await owner.fetchval("SELECT count(*) FROM auth.audit_log WHERE action = 'thing.failed'")
    report = await verify(service)
    assert (report.faults, report.counts["audit entries"]) == ((), begun + 30)


async def test_an_action_of_another_service_arrives_once(
    service: Service, client: httpx.AsyncClient, admin: Person, owner: asyncpg.Connection
) -> None:
    delivery = delivered(action(address="198.51.100.4"))
    await append_action(service.context, delivery)
    with pytest.raises(AlreadyHandled):
        await append_action(service.context, delivery)
    found = (await client.get(URL, params={"service": "lending"}, headers=admin.headers)).json()["items"]
    (entry,) = found
    assert entry["id"] == str(delivery.message.id)
    assert entry["after"] == {"status": "funding", "amount_minor": 10**15, "rate": "0.1", "note": "nul\ufffd and é"}
    assert (entry["actor_kind"], entry["subject_kind"], entry["address"]) == ("user", "loan", "198.51.100.4")
    assert (await verify(service)).sound


_COPY = (
    "SELECT {position}, gen_random_uuid(), happened_at, service, action, actor_kind, actor_id, subject_kind, subject_id, "
    "address, request_id, trace_id, before, after, previous_hash, {hash} FROM auth.audit_log WHERE position = {of}"
)
TAMPERING = {
    "edit": (["UPDATE auth.audit_log SET actor_id = gen_random_uuid() WHERE position = 5"], 5, "edited"),
    "edit of a hash": (["UPDATE auth.audit_log SET hash = sha256('x') WHERE position = 5"], 5, "not what was hashed"),
    "delete": (["DELETE FROM auth.audit_log WHERE position = 5"], 6, "entry 5 before it is missing"),
    "delete of the last": (["DELETE FROM auth.audit_log WHERE position >= 8"], 7, "entry 8 to 9 is missing at the end"),
    "delete of the first": (["DELETE FROM auth.audit_log WHERE position = 1"], 2, "entry 1 before it is missing"),
    "insert at the end": (
        ["INSERT INTO auth.audit_log " + _COPY.format(position=10, hash="sha256('x')", of=9)],
        10,
        "put here",
    ),
    "insert in the middle": (
        [
            "UPDATE auth.audit_log SET position = -position WHERE position >= 5",
            "UPDATE auth.audit_log SET position = 1 - position WHERE position < 0",
            "INSERT INTO auth.audit_log " + _COPY.format(position=5, hash="hash", of=4),
        ],
        5,
        "put here",
    ),
    "swap": (
        [
            "UPDATE auth.audit_log SET position = -1 WHERE position = 5",
            "UPDATE auth.audit_log SET position = 5 WHERE position = 6",
            "UPDATE auth.audit_log SET position = 6 WHERE position = -1",
        ],
        5,
        "moved",
    ),
    "swap of contents": (
        ["UPDATE auth.audit_log a SET subject_id = b.subject_id FROM auth.audit_log b WHERE a.position = 5 AND b.position = 6"],
        5,
        "edited",
    ),
    "head": (["UPDATE auth.audit_chain SET hash = sha256('x')"], 9, "the end of the chain"),
}


@pytest.mark.parametrize("kind", TAMPERING)
async def test_tampering_of_the_tables_owner_is_named(service: Service, owner: asyncpg.Connection, kind: str) -> None:
    begun = await owner.fetchval("SELECT count(*) FROM auth.audit_log")
    await append(service.context, 9 - begun)
    assert (await verify(service)).faults == ()
    statements, position, what = TAMPERING[kind]
    await owner.execute("ALTER TABLE auth.audit_log DISABLE TRIGGER ALL")
    for statement in statements:
        await owner.execute(statement)
    report = await verify(service)
    assert "audit log guards" in {found.check for found in report.faults}, "that the triggers were off, if they still are"
    fault = report.first_fault
    assert fault is not None
    assert fault.where.startswith(f"audit_log entry {position}"), fault
    assert what in fault.what, fault


async def test_the_log_is_searched_by_everything_it_knows(service: Service, client: httpx.AsyncClient, admin: Person) -> None:
    now = datetime.now(UTC)
    first, second = action(at=now - timedelta(days=2)), action(service="payments", action="withdrawal.retried", request_id="r2")
    for one in (first, second):
        await append_action(service.context, delivered(one))

    async def ids(**params: str) -> set[UUID]:
        answer = await client.get(URL, params=params, headers=admin.headers)
        assert answer.status_code == 200, answer.text
        return {UUID(item["id"]) for item in answer.json()["items"]} & {first.id, second.id}

    assert await ids(service="payments") == {second.id}
    assert await ids(action="loan.approved") == {first.id}
    assert await ids(actor_id=str(first.actor_id)) == {first.id}
    assert await ids(subject_id=str(second.subject_id)) == {second.id}
    assert await ids(subject_kind="loan") == {first.id, second.id}
    assert await ids(request_id="r2") == {second.id}
    assert await ids(**{"from": (now - timedelta(days=1)).isoformat()}) == {second.id}
    assert await ids(to=(now - timedelta(days=1)).isoformat()) == {first.id}
    assert await ids(subject_kind="loan", service="auth") == set()


async def test_the_log_as_a_file(service: Service, client: httpx.AsyncClient, admin: Person, amina: Person) -> None:
    formula = action(subject_id='=HYPERLINK("http://x")')
    await append_action(service.context, delivered(formula))
    lines = (await client.get(f"{URL}/export", headers=admin.headers)).text.splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1]["action"] == "audit_log.exported", "that it was exported is in it"
    assert entries[-1]["actor_id"] == str(admin.id)
    answer = await client.get(f"{URL}/export", params={"format": "csv", "service": "lending"}, headers=admin.headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["id"] == str(formula.id)
    assert row["subject_id"].startswith("'=")
    assert (await client.get(f"{URL}/export", headers=amina.headers)).status_code == 403
