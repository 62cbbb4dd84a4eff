"""Somebody is suspended: their tokens are good for some minutes more, but no money leaves their wallets."""

from typing import Any
from uuid import UUID

from services.wallet_ledger.commands.remember_person import update_person
from services.wallet_ledger.domain.entries import Hold, PostHold
from shared.contracts.auth.user_events import UserUpdated
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import Person, World, move, transaction
from tests.service.wallet_ledger.test_http import delivery_of, send


async def change(world: World, person: Person, status: str) -> None:
    event = UserUpdated(user_id=person.id, email=f"{person.id}@example.test", full_name="A B", roles=["user"], status=status)
    await update_person(world.context, delivery_of(event))


def hold(person: Person, amount_minor: int) -> Hold:
    return Hold(new_id(), person.account, "provider:test:KES", amount_minor, "KES")


async def statuses(world: World, person: Person) -> list[Any]:
    wallets = (await world.client.get("/v1/wallets", headers=person.headers)).json()["items"]
    return [wallet["status"] for wallet in wallets]


async def test_no_money_leaves_while_somebody_is_suspended(world: World) -> None:
    ann, bo = await world.person(5_000), await world.person(5_000)
    promised = hold(ann, 1_000)
    assert (await world.poster.post(transaction(promised))).posted

    await change(world, ann, "suspended")

    refused = await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "wallet_frozen")
    assert (await world.poster.post(transaction(hold(ann, 1)))).code == "account_frozen"
    assert (await send(world, bo, {"wallet_id": str(ann.wallet_id)}, 700)).status_code == 201
    assert (await world.poster.post(transaction(PostHold(promised.id)))).posted
    assert await world.balance(ann.account) == (4_700, 0)

    await change(world, ann, "active")

    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)).status_code == 201
    assert await world.balance(ann.account) == (4_699, 0)


async def test_a_wallet_opened_while_suspended_is_no_way_out(world: World) -> None:
    ann = await world.person()
    await change(world, ann, "suspended")
    opened = await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=ann.headers)
    assert opened.json()["status"] == "frozen"
    account = f"wallet:{UUID(opened.json()['id'])}"
    assert (await world.poster.post(transaction(move("provider:test:KES", account, 10)))).posted
    assert (await world.poster.post(transaction(move(account, "provider:test:KES", 10)))).code == "account_frozen"
    assert await statuses(world, ann) == ["frozen", "frozen"]


async def test_a_change_of_profile_opens_nothing(world: World) -> None:
    """Operators may have frozen a wallet for reasons of their own."""
    ann = await world.person()
    await change(world, ann, "active")
    await world.owner.execute("UPDATE wallet_ledger.accounts SET status = 'frozen' WHERE address = $1", ann.account)
    await change(world, ann, "active")
    assert await statuses(world, ann) == ["frozen"]
