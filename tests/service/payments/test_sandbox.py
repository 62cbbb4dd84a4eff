"""The sandbox provider for itself: its page, its API, and webhooks that survive everything."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.payments.providers.base import NeverSeen, NoAnswer, PaymentOrder, PayoutOrder, Unknown, ask
from services.payments.providers.sandbox.client import SandboxProvider
from services.payments.providers.sandbox.server.courier import running_courier
from shared.ids import new_id
from tests.service.payments.conftest import World


def order(reference: str = "dep_1", **changes: Any) -> PaymentOrder:
    facts = {"amount_minor": 1_234_567, "currency": "KES", "description": "Deposit", **changes}
    return PaymentOrder(reference=reference, expires_at=datetime.now(UTC) + timedelta(hours=1), **facts)


async def checkout_url(world: World, payment: PaymentOrder) -> str:
    return (await world.providers["sandbox"].initiate(payment)).value.checkout_url


async def test_the_page_shows_the_amount_and_two_buttons_and_later_what_was_decided(world: World):
    url = await checkout_url(world, order())
    page = await world.browser.get(url)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "KES 12,345.67" in page.text
    assert page.text.count("<button") == 2
    assert 'name="outcome" value="approve"' in page.text

    pressed = await world.press(url, "approve")
    assert pressed.status_code == 303
    assert url.endswith(pressed.headers["location"])
    after = await world.browser.get(url)
    assert "Payment approved" in after.text
    assert "<button" not in after.text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [(500, "JPY", "JPY 500"), (1, "KWD", "KWD 0.001"), (5, "KES", "KES 0.05")]
)
async def test_the_page_writes_amounts_as_the_currency_does(world: World, amount: int, currency: str, shown: str):
    url = await checkout_url(world, order(amount_minor=amount, currency=currency))
    assert f"{shown}<" in (await world.browser.get(url)).text


async def test_texts_are_escaped(world: World):
    url = await checkout_url(world, order(description="<script>alert(1)</script>"))
    page = (await world.browser.get(url)).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_the_first_press_counts(world: World):
    url = await checkout_url(world, order())
    pressed = await asyncio.gather(*(world.press(url, outcome) for outcome in ("approve", "approve", "decline", "approve")))
    assert {answer.status_code for answer in pressed} == {303}
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.webhooks") == 1
    first = await world.owner.fetchval("SELECT status FROM sandbox.payments")
    await world.press(url, "decline" if first == "succeeded" else "approve")
    assert await world.owner.fetchval("SELECT status FROM sandbox.payments") == first


async def test_the_payer_goes_back_where_the_order_says(world: World):
    url = await checkout_url(world, order(return_url="http://shop.example/done"))
    assert (await world.press(url, "decline")).headers["location"] == "http://shop.example/done"


async def test_a_wrong_press_is_answered_clearly(world: World):
    url = await checkout_url(world, order())
    for data in ({"outcome": "maybe"}, {}, {"outcome": ""}):
        answer = await world.browser.post(url, data=data)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
        assert answer.json()["errors"][0]["field"] == "outcome"
    for wrong in (str(new_id()), "nonsense"):
        missing = f"{url.rsplit('/', 1)[0]}/{wrong}"
        assert (await world.browser.get(missing)).status_code == 404
        answer = await world.press(missing, "approve")
        assert (answer.status_code, answer.json()["code"]) == (404, "checkout_not_found")
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.webhooks") == 0


async def test_orders_are_idempotent_by_reference(world: World):
    provider = world.providers["sandbox"]
    first = await provider.initiate(order())
    assert (await provider.initiate(order())).value == first.value
    assert isinstance(await provider.initiate(order(amount_minor=1)), Unknown)
    payout = PayoutOrder("wdr_1", 500, "KES", "Withdrawal", {"account": "1"})
    assert (await provider.payout(payout)).raw["id"] == (await provider.payout(payout)).raw["id"]
    assert isinstance(await provider.payout(replace(payout, destination={"account": "2"})), Unknown)
    assert isinstance(await provider.sync("dep_unknown"), NeverSeen)
    assert isinstance(await provider.payout_sync("wdr_unknown"), NeverSeen)
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.payouts") == 1


async def test_the_api_wants_the_secret(world: World):
    api = world.providers["sandbox"]._http.base_url
    for headers in ({}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic x"}):
        answer = await world.browser.get(f"{api}payments/dep_1", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_sandbox_secret")


async def test_webhooks_wait_for_a_platform_that_is_away(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    settings = world.sandbox.context.settings
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    object.__setattr__(world.sandbox.context, "settings", settings.model_copy(update={"sandbox_webhook_url": nowhere}))
    for attempts in (1, 2, 3):
        await world.provider_works()
        row = await world.owner.fetchrow("SELECT attempts, delivered_at, next_attempt_at, last_error FROM sandbox.webhooks")
        assert (row["attempts"], row["delivered_at"], row["last_error"]) == (attempts, None, "ConnectError")
        await world.provider_works()
        assert await world.owner.fetchval("SELECT attempts FROM sandbox.webhooks") == attempts  # not before its time
        world.clock.advance(timedelta(seconds=10))
    object.__setattr__(world.sandbox.context, "settings", settings)
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    row = await world.owner.fetchrow("SELECT attempts, delivered_at, next_attempt_at FROM sandbox.webhooks")
    assert (row["attempts"], row["next_attempt_at"]) == (4, None)
    assert row["delivered_at"] is not None


async def test_a_webhook_whose_sender_was_killed_is_sent_by_the_next(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    # As a process that was killed after it took the webhook would leave it.
    await world.owner.execute("UPDATE sandbox.webhooks SET attempts = 1, next_attempt_at = now() + interval '30 seconds'")
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "pending"
    world.clock.advance(timedelta(seconds=31))
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"


async def test_the_courier_delivers_on_its_own(world: World):
    person = await world.person(balance=5_000)
    deposit = (await world.deposit(person)).json()
    await world.withdraw(person)
    async with running_courier(world.sandbox.context):
        await world.press(deposit["checkout_url"], "approve")
        for _ in range(200):
            await world.deliver()
            if await world.told("payments.deposit.succeeded") and await world.told("payments.withdrawal.completed"):
                break
            await asyncio.sleep(0.03)
    assert world.ledger.balances[person.account] == 12_500


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        None,
    ],
    ids=["closed", "garbage", "html", "502", "cut short", "redirect", "silence"],
)
async def test_whatever_a_broken_provider_does_is_unknown(answer: bytes | None):
    over: list[asyncio.Event] = []

    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over.append(asyncio.Event())
        done = over[-1]
        await reader.read(100)
        if answer is None:
            await reader.read()  # until the other side has had enough
        else:
            writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(misbehave, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    provider = SandboxProvider(f"http://127.0.0.1:{port}", "secret", timeout_seconds=0.3)
    payout = PayoutOrder("wdr_1", 500, "KES", "Withdrawal", {"account": "1"})
    for call in (provider.initiate(order()), provider.sync("dep_1"), provider.payout(payout), provider.payout_sync("wdr_1")):
        found = await ask(call, timeout_seconds=1)
        assert type(found) in (Unknown, NoAnswer), found
    await provider.close()
    await asyncio.gather(*(done.wait() for done in over))
    server.close()
    await server.wait_closed()


async def test_a_provider_that_is_not_there_is_unknown():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    provider = SandboxProvider(f"http://127.0.0.1:{port}", "secret", timeout_seconds=1)
    assert type(await provider.sync("dep_1")) is NoAnswer
    await provider.close()
