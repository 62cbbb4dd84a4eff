"""Webhooks: believed by nobody, kept once, and the provider is asked."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.webhooks import sign
from tests.service.payments.conftest import SECRET, World


def event(reference: str, *, key: str = "evt_1", kind: str = "payment.succeeded", **data: Any) -> bytes:
    return json.dumps({"id": key, "type": kind, "data": {"reference": reference, **data}}).encode()


async def send(
    world: World, body: bytes, *, secret: str = SECRET, signed_at: datetime | None = None, **headers: str
) -> httpx.Response:
    signature = sign(secret, signed_at or datetime.now(UTC), body)
    return await world.browser.post(world.webhook_url, content=body, headers={"Sandbox-Signature": signature, **headers})


def reference_of(deposit: dict[str, Any]) -> str:
    return f"dep_{UUID(deposit['id']).hex}"


async def test_a_webhook_that_claims_a_payment_credits_nothing_by_itself(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    claim = event(reference_of(deposit), status="succeeded", amount=12_500, currency="KES")
    assert (await send(world, claim)).status_code == 200
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "pending"
    assert world.ledger.posted == []


async def test_the_same_event_a_hundred_times_is_one_credit(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    body = event(reference_of(deposit))
    at_once = await asyncio.gather(*(send(world, body) for _ in range(50)))
    await world.deliver()
    one_by_one = [await send(world, body) for _ in range(50)]
    assert {answer.status_code for answer in (*at_once, *one_by_one)} == {200}
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    assert world.ledger.balances[person.account] == 12_500
    assert len(world.ledger.posted) == 1
    assert await world.owner.fetchval("SELECT count(*) FROM payments.provider_events WHERE event_key = 'evt_1'") == 1
    assert len(await world.told("payments.deposit.succeeded")) == 1


async def test_many_different_events_about_one_payment_are_one_credit(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    for number in range(5):
        await send(world, event(reference_of(deposit), key=f"evt_{number}"))
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    assert len(world.ledger.posted) == 1


@pytest.mark.parametrize("outcome", ["approve", "decline"])
async def test_an_event_says_that_something_happened_and_the_provider_says_what(world: World, outcome: str):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], outcome)
    lie = "payment.declined" if outcome == "approve" else "payment.succeeded"
    await send(world, event(reference_of(deposit), kind=lie))
    settled = await world.settle(person, f"/v1/deposits/{deposit['id']}")
    assert settled["status"] == ("succeeded" if outcome == "approve" else "failed")


async def test_forged_old_and_unreadable_webhooks_are_refused_and_not_kept(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    body, now = event(reference_of(deposit)), datetime.now(UTC)
    refused = [
        (await world.browser.post(world.webhook_url, content=body), 401, "webhook_signature_invalid"),
        (await send(world, body, secret="guessed"), 401, "webhook_signature_invalid"),
        (await send(world, body, **{"Sandbox-Signature": "t=1,v1=nonsense"}), 401, "webhook_signature_invalid"),
        (await send(world, body, **{"Sandbox-Signature": sign(SECRET, now, body + b" ")}), 401, "webhook_signature_invalid"),
        (await send(world, body, signed_at=now - timedelta(minutes=6)), 400, "webhook_timestamp_invalid"),
        (await send(world, body, signed_at=now + timedelta(minutes=6)), 400, "webhook_timestamp_invalid"),
        (await send(world, b"not json"), 400, "webhook_unreadable"),
        (await send(world, b'{"id": "a\\u0000", "type": "t", "data": {"reference": "r"}}'), 400, "webhook_unreadable"),
        (await send(world, b'{"id": "a", "type": "t", "data": {"reference": "r", "amount": NaN}}'), 400, "webhook_unreadable"),
        (await send(world, b'{"id": "a", "type": "t", "data": {"reference": "r", "amount": 1e999}}'), 400, "webhook_unreadable"),
        (await send(world, b'{"id": "a", "type": "t", "data": {"reference": "\\ud800"}}'), 400, "webhook_unreadable"),
        (await send(world, b"x" * 70_000), 413, "webhook_too_large"),
        (await world.browser.post(world.webhook_url.replace("sandbox", "nobody"), content=body), 404, "provider_not_found"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert await world.events_received() == 0
    await world.deliver()
    assert world.ledger.posted == []


async def test_an_event_about_something_unknown_is_kept_and_answered(world: World):
    assert (await send(world, event("dep_nobody"))).status_code == 200
    assert await world.events_received() == 1
    assert await world.outbox() == []


async def test_what_providers_said_can_be_added_to_but_not_changed(world: World):
    await send(world, event("dep_nobody"))
    async with world.payments.database.engine.connect() as connection:
        for statement in ("UPDATE provider_events SET type = 'x'", "DELETE FROM provider_events", "DELETE FROM provider_answers"):
            with pytest.raises(Exception, match="permission denied"):
                await connection.exec_driver_sql(statement)
            await connection.rollback()


async def test_a_webhook_that_comes_before_the_answer_of_the_call_is_no_trouble(world: World):
    person = await world.person()
    real = world.providers["sandbox"]

    class Hasty:
        """The payer has paid, and the provider told us, before we hear where the page is."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        async def initiate(self, order: Any) -> Any:
            answer = await real.initiate(order)
            await world.press(answer.value.checkout_url, "approve")
            await world.provider_works()
            await world.deliver()
            return answer

    world.providers["sandbox"] = Hasty()
    started = await world.deposit(person)
    assert started.status_code == 201
    assert started.json()["status"] == "succeeded"
    assert world.ledger.balances[person.account] == 12_500
