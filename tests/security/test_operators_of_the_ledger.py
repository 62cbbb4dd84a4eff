"""Attacks on what operators may do with the ledger: doing it alone, doing it without the role, getting around a freeze."""

import asyncio
from typing import Any

import pytest

from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World, world
from tests.support.identity import bearer

__all__ = ["world"]

EVE_ID = new_id()
EVE = bearer(EVE_ID, roles=("admin",))


async def ask(world: World, headers: dict[str, str], debit: str, credit: str, amount: int) -> Any:
    entry = {"debit_account": debit, "credit_account": credit, "amount": amount, "currency": "KES"}
    body = {"entries": [entry], "reason": "Trust me"}
    headers = headers | {"Idempotency-Key": str(new_id())}
    return await world.client.post("/v1/admin/ledger/adjustments", json=body, headers=headers)


async def approve(world: World, headers: dict[str, str], adjustment_id: str, key: str | None = None) -> Any:
    headers = headers | {"Idempotency-Key": key or str(new_id())}
    return await world.client.post(f"/v1/admin/ledger/adjustments/{adjustment_id}/approve", headers=headers)


async def test_one_administrator_with_many_sessions_is_still_one_person(world: World) -> None:
    mallory = await world.person()
    adjustment = (await ask(world, EVE, "suspense:KES", mallory.account, 1_000_000)).json()
    sessions = [bearer(EVE_ID, roles=roles) for roles in (("admin",), ("admin", "support"), ("admin", "user"))]

    answers = await asyncio.gather(*(approve(world, session, adjustment["id"]) for session in sessions for _ in range(3)))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "second_person_required")}
    assert await world.balance(mallory.account) == (0, 0)


@pytest.mark.parametrize("roles", [("user",), ("support",), ("partner",), ("user", "support")])
async def test_without_the_role_nothing_is_asked_for_approved_or_frozen(world: World, roles: tuple[str, ...]) -> None:
    mallory = await world.person(500)
    adjustment = (await ask(world, EVE, "suspense:KES", mallory.account, 1)).json()
    stranger = bearer(new_id(), roles=roles)
    reason = {"reason": "x"}

    answers = [await ask(world, stranger, "suspense:KES", mallory.account, 1), await approve(world, stranger, adjustment["id"])]
    for action in ("freeze", "unfreeze", "close"):
        path = f"/v1/admin/ledger/accounts/{mallory.account}/{action}"
        answers.append(await world.client.post(path, json=reason, headers=stranger))

    assert {answer.status_code for answer in answers} == {403}
    assert (await world.account(mallory.account))["status"] == "open"
    assert await world.balance(mallory.account) == (500, 0)


async def test_the_key_of_a_refused_approval_opens_nothing_for_a_second_person_elsewhere(world: World) -> None:
    """A key used for one adjustment does not approve another, whoever sends it."""
    mallory = await world.person()
    one = (await ask(world, EVE, "suspense:KES", mallory.account, 1)).json()
    two = (await ask(world, EVE, "suspense:KES", mallory.account, 2)).json()
    bob = bearer(new_id(), roles=("admin",))
    assert (await approve(world, bob, one["id"], key="k")).status_code == 200
    reused = await approve(world, bob, two["id"], key="k")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert await world.balance(mallory.account) == (1, 0)


async def test_a_frozen_wallets_owner_gets_no_money_out_by_another_way(world: World) -> None:
    mallory, friend = await world.person(900), await world.person()
    frozen = await world.client.post(f"/v1/admin/ledger/accounts/{mallory.account}/freeze", json={"reason": "Fraud"}, headers=EVE)
    assert frozen.json()["status"] == "frozen"
    second = (await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=mallory.headers)).json()["id"]

    async def send(to: dict[str, str]) -> Any:
        body = {"from_wallet_id": str(mallory.wallet_id), "to": to, "amount": 900, "currency": "KES"}
        headers = mallory.headers | {"Idempotency-Key": str(new_id())}
        return await world.client.post("/v1/transfers", json=body, headers=headers)

    tries = [await send({"wallet_id": second}), await send({"wallet_id": str(friend.wallet_id)})]
    tries.append(await world.client.delete(f"/v1/wallets/{mallory.wallet_id}", headers=mallory.headers))
    assert {(answer.status_code, answer.json()["code"]) for answer in tries} == {(409, "wallet_frozen")}
    assert await world.balance(mallory.account) == (900, 0)
