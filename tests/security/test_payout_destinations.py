"""Attacks on where money is paid out to: other people's destinations, and fields that are not the caller's to set."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.service.payments.conftest import World, world

__all__ = ["world"]

PATH = "/v1/payout-destinations"
BODY: dict[str, Any] = {"provider": "sandbox", "destination": {"account": "254700000001"}}
STOLEN: dict[str, Any] = {
    "id": "01900000-0000-7000-8000-000000000000",
    "user_id": "01900000-0000-7000-8000-000000000000",
    "usable_from": "2020-01-01T00:00:00Z",
    "created_at": "2020-01-01T00:00:00Z",
    "destination_masked": {"account": "x"},
    "destination_encrypted": "eA==",
    "verified": True,
    "__proto__": {"usable_from": "2020-01-01T00:00:00Z"},
}


async def test_fields_of_others(world: World) -> None:
    person = await world.person(balance=8_000)
    for name, value in STOLEN.items():
        answer = await world.api.post(PATH, json=BODY | {name: value}, headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), name
        assert [error["field"] for error in answer.json()["errors"]] == [name]
    withdrawal = {
        "wallet_id": str(person.wallet_id),
        "amount": 1,
        "currency": "KES",
        **BODY,
        "payout_destination_id": str(new_id()),
    }
    headers = {**person.headers, "Idempotency-Key": "stolen"}
    assert (await world.api.post("/v1/withdrawals", json=withdrawal, headers=headers)).status_code == 422
    assert await world.owner.fetchval("SELECT count(*) FROM payments.payout_destinations") == 0
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 0


@pytest.mark.parametrize("provider", [None, "sandbox"])
async def test_the_destination_of_somebody_else(world: World, provider: str | None) -> None:
    victim, thief = await world.person(), await world.person(balance=8_000)
    theirs = (await world.api.post(PATH, json=BODY, headers=victim.headers)).json()
    for method in ("GET", "DELETE"):
        answer = await world.api.request(method, f"{PATH}/{theirs['id']}", headers=thief.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "payout_destination_not_found")
    body = {
        "wallet_id": str(thief.wallet_id),
        "amount": 1,
        "currency": "KES",
        "provider": provider,
        "destination_id": theirs["id"],
    }
    answer = await world.api.post("/v1/withdrawals", json=body, headers={**thief.headers, "Idempotency-Key": "thief"})
    assert (answer.status_code, answer.json()["code"]) == (404, "payout_destination_not_found")
    assert (await world.get(thief, PATH))["items"] == []
    assert (await world.get(victim, PATH))["items"] == [theirs], "it is still there"
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 0
