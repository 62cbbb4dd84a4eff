"""Saved payout destinations: saved by somebody who proved to be there, told about, and used once their time has come."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.payments.personal_data import PERSONAL_DATA
from services.payments.sealed import SEALED
from shared.contracts.auth.privacy_messages import ErasureDecided
from shared.crypto import Vault
from shared.crypto.rotation import reseal
from shared.ids import new_id
from shared.problems import ServiceUnavailable
from tests.service.payments.conftest import Person, World
from tests.support.identity import bearer

PATH = "/v1/payout-destinations"
ADDED, REMOVED = "payments.payout_destination.added", "payments.payout_destination.removed"


async def save(world: World, person: Person, account: str = "254700000001", **changes: Any) -> httpx.Response:
    body = {"provider": "sandbox", "destination": {"account": account}, **changes}
    return await world.api.post(PATH, json=body, headers=person.headers)


async def to_saved(world: World, person: Person, saved_id: str, **changes: Any) -> httpx.Response:
    """A withdrawal to a saved destination."""
    body = {"wallet_id": str(person.wallet_id), "amount": 5_000, "currency": "KES", "destination_id": saved_id, **changes}
    return await world.api.post("/v1/withdrawals", json=body, headers={**person.headers, "Idempotency-Key": str(new_id())})


def cool_off(world: World, seconds: int) -> None:
    settings = world.context.settings.model_copy(update={"payout_cooling_off_seconds": seconds})
    object.__setattr__(world.context, "settings", settings)


async def saved_count(world: World) -> int:
    return int(await world.owner.fetchval("SELECT count(*) FROM payments.payout_destinations"))


async def test_a_saved_destination_is_paid_to_and_its_removal_stops_nothing(world: World) -> None:
    person = await world.person(balance=8_000)
    saved = await save(world, person, "very-secret-account", label="Mine")
    assert saved.status_code == 201, saved.text
    one = saved.json()
    assert (one["destination"], one["label"], one["provider"]) == ({"account": "••••ount"}, "Mine", "sandbox")
    assert one["usable_from"] == one["created_at"], "here nobody waits"
    assert (await world.get(person, PATH)) == {"items": [one], "next_cursor": None}
    assert (await world.get(person, f"{PATH}/{one['id']}")) == one

    ordered = (await to_saved(world, person, one["id"])).json()
    assert (ordered["status"], ordered["provider"]) == ("pending", "sandbox")
    assert (ordered["destination"], ordered["destination_id"]) == ({"account": "••••ount"}, one["id"])
    assert (await world.api.delete(f"{PATH}/{one['id']}", headers=person.headers)).status_code == 204
    assert (await world.settle(person, f"/v1/withdrawals/{ordered['id']}"))["status"] == "completed"
    assert await world.owner.fetchval("SELECT account FROM sandbox.payouts") == "very-secret-account"

    for answer in (
        await world.api.get(f"{PATH}/{one['id']}", headers=person.headers),
        await world.api.delete(f"{PATH}/{one['id']}", headers=person.headers),
        await to_saved(world, person, one["id"]),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "payout_destination_not_found")
    (added,), (removed,) = await world.told(ADDED), await world.told(REMOVED)
    assert (added["destination_id"], added["user_id"], added["shown"]) == (one["id"], str(person.id), "account ••••ount")
    assert (removed["destination_id"], removed["shown"]) == (one["id"], "account ••••ount")
    actions = [(one["action"], one["actor_id"], one["subject_id"]) for one in await world.told("auth.action.taken")]
    assert actions == [(f"payout_destination.{done}", str(person.id), one["id"]) for done in ("added", "removed")]


async def test_where_it_leads_is_in_no_row_and_no_message(world: World) -> None:
    person = await world.person()
    assert (await save(world, person, "very-secret-account")).status_code == 201
    for query in ("SELECT d::text FROM payments.payout_destinations d", "SELECT string_agg(o::text, '') FROM payments.outbox o"):
        assert "very-secret" not in await world.owner.fetchval(query)


async def test_saved_twice_is_one(world: World) -> None:
    person, other = await world.person(), await world.person()
    answers = await asyncio.gather(*(save(world, person, label=f"{number}") for number in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1, "the first one stays as it is"
    assert (await save(world, person, " 254700000001 ")).status_code == 200, "what the provider takes for the same"
    assert (await save(world, other)).status_code == 201
    assert len(await world.told(ADDED)) == 2


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [({"age_seconds": 601}, 401, "step_up_required"), ({"email_verified": False}, 403, "email_unverified")],
    ids=["old login", "address not confirmed"],
)
async def test_only_who_proved_to_be_there_saves_one(world: World, claims: dict[str, Any], status: int, code: str) -> None:
    person = await world.person()
    refused = await save(world, replace(person, headers=bearer(person.id, **claims)))
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await saved_count(world) == 0
    assert await world.outbox() == []


async def test_a_new_destination_has_to_wait_and_one_that_is_not_saved_gets_nothing(world: World) -> None:
    cool_off(world, 3_600)
    person = await world.person(balance=20_000)
    one = (await save(world, person)).json()
    waits = datetime.fromisoformat(one["usable_from"]) - datetime.fromisoformat(one["created_at"])
    assert waits == timedelta(hours=1)

    refused = await to_saved(world, person, one["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "destination_cooling_off")
    assert one["usable_from"][:19] in refused.json()["detail"]
    inline = await world.withdraw(person)
    assert (inline.status_code, inline.json()["code"]) == (409, "destination_cooling_off"), "the same place, not named by its id"
    other = await world.withdraw(person, destination={"account": "254700000002"})
    assert (other.status_code, other.json()["code"]) == (409, "destination_not_saved")
    assert (await save(world, person)).json() == one, "saving it again changes nothing about its time"
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 0

    world.clock.advance(timedelta(hours=1))
    assert (await to_saved(world, person, one["id"])).status_code == 202
    inline = await world.withdraw(person)
    assert (inline.status_code, inline.json()["destination_id"]) == (202, one["id"])
    assert (await world.api.delete(f"{PATH}/{one['id']}", headers=person.headers)).status_code == 204
    again = (await save(world, person)).json()
    assert (await to_saved(world, person, again["id"])).json()["code"] == "destination_cooling_off"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"provider": "nobody"}, "unknown_provider", None),
        ({"destination": {"iban": "KE1"}}, "invalid_destination", "destination.account"),
        ({"destination": {"account": "1", "iban": "KE1"}}, "invalid_destination", "destination.iban"),
        ({"destination": {"account": "  "}}, "invalid_destination", "destination.account"),
        ({"destination": {}}, "validation_error", "destination"),
        ({"destination": "254700000001"}, "validation_error", "destination"),
        ({"label": "x" * 61}, "validation_error", "label"),
    ],
)
async def test_what_is_no_destination(world: World, changes: dict[str, Any], code: str, field: str | None) -> None:
    refused = await save(world, await world.person(), **changes)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert field in {error["field"] for error in refused.json().get("errors") or [{"field": None}]}
    assert await saved_count(world) == 0


async def test_nobody_saves_without_end(world: World) -> None:
    person = await world.person()
    for number in range(20):
        assert (await save(world, person, f"25470000{number:04}")).status_code == 201
    refused = await save(world, person, "one more")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_destinations")
    page = await world.get(person, f"{PATH}?limit=15")
    rest = await world.get(person, f"{PATH}?limit=15&cursor={page['next_cursor']}")
    assert (len({one["id"] for one in page["items"] + rest["items"]}), rest["next_cursor"]) == (20, None)


async def test_a_withdrawal_names_one_destination(world: World) -> None:
    person = await world.person(balance=8_000)
    saved = (await save(world, person)).json()["id"]
    inline = {"destination": {"account": "1"}}
    for changes, field in (
        ({**inline, "provider": "sandbox"}, "destination"),
        ({"destination_id": None, "provider": "sandbox"}, "destination"),
        ({**inline, "destination_id": None}, "provider"),
        ({"provider": "another"}, "provider"),
    ):
        refused = await to_saved(world, person, saved, **changes)
        assert (refused.status_code, refused.json()["code"]) == (422, "validation_error")
        assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert (await to_saved(world, person, saved, provider="sandbox")).status_code == 202
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 1


async def test_a_withdrawal_under_way_keeps_its_destination_until_it_has_ended(world: World) -> None:
    """Ordered after payments had said that nothing stands in the way, and before the decision to forget."""
    person = await world.person(balance=8_000)
    ordered = (await world.withdraw(person)).json()
    decided = ErasureDecided(erasure_id=new_id(), user_id=person.id, decided_at=world.clock.now())
    with pytest.raises(ServiceUnavailable):
        await world.handle(decided, source="auth")
    assert await world.told("auth.erasure.report") == []
    assert (await world.settle(person, f"/v1/withdrawals/{ordered['id']}"))["status"] == "completed"
    await world.handle(decided, source="auth")
    (report,) = await world.told("auth.erasure.report")
    assert report["erased"]["payout_destinations"] == 1


async def test_it_is_exported_opened_sealed_anew_and_forgotten(world: World) -> None:
    person, other = await world.person(), await world.person()
    await save(world, person, "very-secret-account", label="Mine")
    await save(world, other)
    vault = Vault({"new": bytes(32), "local": world.context.vault._keys["local"]}, "new")
    column = next(one for one in SEALED if one.table == "payout_destinations")
    assert (await reseal(world.context.database, vault, column)).done == 2
    alone = Vault({"new": bytes(32)}, "new")
    async with world.context.unit_of_work() as work:
        context = replace(world.context, vault=alone)
        (exported,) = (await PERSONAL_DATA.export(context, work, person.id))["payout_destinations.json"]
        assert (exported["destination"], exported["label"]) == ({"account": "very-secret-account"}, "Mine")
        assert (await PERSONAL_DATA.erase(work.connection, person.id))["saved_destinations"] == 1
    assert [row["user_id"] for row in await world.owner.fetch("SELECT user_id FROM payments.payout_destinations")] == [other.id]
