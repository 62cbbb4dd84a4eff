"""Exports and erasures as auth sees them, with the other services played by the test."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.commands.collect_export import forget_exports, sweep_exports
from services.auth.commands.purge_identities import purge_identities
from services.auth.commands.settle_erasure import sweep_erasures
from services.auth.consumers import CONSUMERS
from services.auth.domain.privacy import ERASED_NAME, erased_email
from services.auth.sagas.erasure import FORGETTING
from services.auth.sagas.export import EXPORTING, ROUNDS
from services.auth.store.users import open_account
from shared.contracts.auth.privacy_messages import (
    AnswerErasure,
    DeliverExportPart,
    ErasureBlocker,
    ReportErasure,
)
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope, Message
from shared.privacy import seal_part
from shared.service import Service
from shared.storage import FileMissing
from tests.service.auth.conftest import KYC, MovableClock, Person, Sent, problem, register
from tests.support.pictures import png

Handle = Callable[[Message], Awaitable[None]]


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    return {"auth_privacy_patience_seconds": 0}


@pytest.fixture
def handle(service: Service) -> Handle:
    async def give(message: Message) -> None:
        envelope = Envelope.of(
            message, id=new_id(), source="test", time=datetime.now(UTC), aggregate_id=new_id(), correlation_id="test"
        )
        await CONSUMERS[type(message)](service.context, Delivery(envelope, message))

    return give


def part(service: Service, export_id: UUID, name: str) -> DeliverExportPart:
    sealed = seal_part(service.context.vault, export_id, name, {"things.json": [{"of": name}]})
    return DeliverExportPart(export_id=export_id, service=name, sealed=sealed)


async def export(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    return await client.get("/v1/me/export", headers=person.headers)


async def test_an_export_waits_for_everybody_and_is_made_once(
    service: Service, client: httpx.AsyncClient, amina: Person, handle: Handle, sent: Sent, clock: MovableClock
) -> None:
    waiting = await export(client, amina)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "collecting")
    assert waiting.headers["retry-after"] == "2"
    patient = await client.get("/v1/me/export", headers=amina.headers | {"Prefer": "wait=1"})
    assert (patient.status_code, patient.headers["preference-applied"]) == (202, "wait=1")
    assert (await export(client, amina)).json()["id"] == waiting.json()["id"]
    (request,) = await sent("auth.export.requested")
    export_id = UUID(request["export_id"])
    for name in EXPORTING[1:]:
        await handle(part(service, export_id, name))
    assert (await export(client, amina)).status_code == 202
    await handle(part(service, export_id, EXPORTING[0]))
    await handle(part(service, export_id, EXPORTING[0]))
    archive = await export(client, amina)
    assert (archive.status_code, archive.headers["content-type"]) == (200, "application/zip")
    assert "attachment" in archive.headers["content-disposition"]
    assert len(await sent("auth.export.requested")) == 1
    clock.ahead += timedelta(hours=25)
    await forget_exports(service.context)
    await handle(part(service, export_id, EXPORTING[0]))
    with pytest.raises(FileMissing):  # what comes late is kept nowhere
        await service.context.files.get(f"exports/{export_id}/{EXPORTING[0]}")
    clock.ahead = timedelta(0)
    assert (await export(client, amina)).json()["status"] == "collecting", "an old one is not offered"


async def test_who_is_silent_is_asked_again_and_at_last_given_up(
    service: Service, client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent
) -> None:
    await export(client, amina)
    for rounds in range(2, ROUNDS + 1):
        clock.ahead += timedelta(seconds=61) * 2 ** (rounds - 2)  # each wait is twice the one before
        await sweep_exports(service.context)
        assert len(await sent("auth.export.requested")) == rounds
    clock.ahead += timedelta(seconds=61) * 2 ** (ROUNDS - 1)
    await sweep_exports(service.context)
    assert len(await sent("auth.export.requested")) == ROUNDS
    again = await export(client, amina)
    assert (again.status_code, again.json()["status"]) == (202, "collecting"), "a new one may be asked for"


async def test_nobody_gets_another_persons_archive(
    service: Service, client: httpx.AsyncClient, amina: Person, baraka: Person, handle: Handle, sent: Sent
) -> None:
    await export(client, amina)
    (request,) = await sent("auth.export.requested")
    for name in EXPORTING:
        await handle(part(service, UUID(request["export_id"]), name))
    assert (await export(client, amina)).status_code == 200
    assert (await export(client, baraka)).status_code == 202
    assert problem(await client.get("/v1/me/export")) == (401, "unauthenticated")


async def erase(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    return await client.delete("/v1/me", headers=person.headers)


async def answer(handle: Handle, erasure_id: UUID, *blockers: ErasureBlocker) -> None:
    for name in FORGETTING:
        mine = list(blockers) if name == "lending" else []
        await handle(AnswerErasure(erasure_id=erasure_id, service=name, blockers=mine))


async def begun(client: httpx.AsyncClient, person: Person, sent: Sent) -> UUID:
    """The id of an erasure that waits for the services."""
    waiting = await erase(client, person)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "checking"), waiting.text
    assert waiting.json()["report"] is None
    return UUID((await sent("auth.erasure.requested"))[-1]["erasure_id"])


async def test_an_objection_changes_nothing_and_is_told(
    client: httpx.AsyncClient, amina: Person, handle: Handle, sent: Sent
) -> None:
    waiting = asyncio.create_task(client.delete("/v1/me", headers=amina.headers | {"Prefer": "wait=20"}))
    for _ in range(900):  # as long as the call itself waits
        if requests := await sent("auth.erasure.requested"):
            break
        await asyncio.sleep(0.02)
    await answer(handle, UUID(requests[0]["erasure_id"]), ErasureBlocker(code="loan_open", detail="Repay it first."))
    refused = await waiting
    assert problem(refused) == (409, "erasure_refused")
    assert refused.json()["blockers"] == [{"code": "loan_open", "detail": "Repay it first."}]
    assert (await client.get("/v1/me", headers=amina.headers)).json()["full_name"] == "Amina Wanjiru"
    assert not await sent("auth.erasure.decided")
    assert await begun(client, amina, sent), "it may be tried again"


async def test_the_person_is_forgotten_here_and_the_report_is_signed_when_all_have_reported(
    service: Service,
    client: httpx.AsyncClient,
    amina: Person,
    handle: Handle,
    sent: Sent,
    owner: asyncpg.Connection,
    admin: Person,
) -> None:
    document = {"content": base64.b64encode(png()).decode()}
    submitted = await client.post("/v1/kyc", json=KYC | {"documents": [document]}, headers=amina.headers)
    await client.post(f"/v1/admin/kyc/{submitted.json()['id']}/approve", headers=admin.headers)
    erasure_id = await begun(client, amina, sent)
    await answer(handle, erasure_id)
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")
    row = open_account(dict(await owner.fetchrow("SELECT * FROM auth.users WHERE id = $1", amina.id)), service.context.vault)
    assert (row["email"], row["full_name"], row["phone"]) == (erased_email(amina.id), ERASED_NAME, None)
    places = await owner.fetch("SELECT device, address, address_index FROM auth.sessions WHERE user_id = $1", amina.id)
    assert {tuple(place) for place in places} == {(b"", b"", None)}
    (decided,) = await sent("auth.erasure.decided")
    assert decided["user_id"] == str(amina.id)
    assert (await sent("auth.session.ended"))[-1]["reason"] == "erased"
    (letter,) = [mail for mail in await sent("notifications.email.send") if mail["template"] == "account_erased"]
    assert letter["to"] == "amina@example.com"
    path = "/v1/auth/erasure-reports/" + letter["data"]["link"].rsplit("/", 1)[1]
    assert (await client.get(path)).json()["status"] == "erasing"
    for name in FORGETTING:
        await handle(ReportErasure(erasure_id=erasure_id, service=name, erased={"rows": 1}, kept={}))
    report = (await client.get(path)).json()
    assert (report["status"], report["report"].count(".")) == ("erased", 2)
    assert problem(await client.get(path[:-1] + ("A" if path[-1] != "A" else "B"))) == (404, "erasure_report_not_found")
    somebody_new = await register(client, "amina@example.com")
    assert somebody_new.id != amina.id

    kept = "SELECT count(*) FROM auth.kyc_submissions WHERE user_id = $1"
    await purge_identities(service.context)
    assert await owner.fetchval(kept, amina.id) == 1, "a confirmed identity is kept for the law"
    await owner.execute("UPDATE auth.kyc_submissions SET purge_on = current_date - 2")
    await purge_identities(service.context)
    assert await owner.fetchval(kept, amina.id) == 0


async def test_a_service_that_does_not_report_is_told_again(
    service: Service, client: httpx.AsyncClient, amina: Person, handle: Handle, sent: Sent, clock: MovableClock
) -> None:
    erasure_id = await begun(client, amina, sent)
    await answer(handle, erasure_id)
    clock.ahead += timedelta(seconds=61)
    await sweep_erasures(service.context)
    assert len(await sent("auth.erasure.decided")) == 2


async def test_silence_refuses(
    service: Service, client: httpx.AsyncClient, amina: Person, sent: Sent, clock: MovableClock, owner: asyncpg.Connection
) -> None:
    await begun(client, amina, sent)
    clock.ahead += timedelta(seconds=61)
    await sweep_erasures(service.context)
    assert await owner.fetchval("SELECT status FROM auth.privacy_requests WHERE user_id = $1", amina.id) == "refused"
    assert not await sent("auth.erasure.decided")


async def test_an_operator_cannot_leave_as_one(client: httpx.AsyncClient, admin: Person, sent: Sent) -> None:
    refused = await erase(client, admin)
    assert problem(refused) == (409, "erasure_refused")
    assert refused.json()["blockers"][0]["code"] == "operator_account"
    assert not await sent("auth.erasure.requested")


async def test_leaving_needs_a_fresh_proof(client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent) -> None:
    clock.ahead += timedelta(minutes=11)
    assert problem(await erase(client, amina)) == (401, "step_up_required")
    assert not await sent("auth.erasure.requested")
