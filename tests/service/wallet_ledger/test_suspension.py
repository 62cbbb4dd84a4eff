"""Somebody is suspended: their tokens are good for some minutes more, but no money leaves their wallets."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.wallet_ledger.commands.remember_person import update_person
from services.wallet_ledger.consumers import CONSUMERS
from services.wallet_ledger.domain.entries import Hold, PostHold
from shared.contracts.auth.privacy_messages import ErasureDecided
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


async def forget(world: World, person: Person) -> dict[str, int]:
    decided = ErasureDecided(erasure_id=new_id(), user_id=person.id, decided_at=datetime.now(UTC))
    await CONSUMERS[ErasureDecided](world.context, delivery_of(decided))
    erased: dict[str, int] = (await world.events("auth.erasure.report"))[-1]["erased"]
    return erased


async def test_the_wallets_of_somebody_forgotten_are_closed_for_money_too(world: World) -> None:
    ann, bo = await world.person(), await world.person(5_000)
    await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=ann.headers)
    assert (await forget(world, ann))["closed_wallets"] == 2
    assert await statuses(world, ann) == ["closed", "closed"]
    refused = await send(world, bo, {"wallet_id": str(ann.wallet_id)}, 700)
    assert refused.status_code == 409, "the home wallet's id is no address for money any more"
    assert (await world.poster.post(transaction(move("provider:test:KES", ann.account, 10)))).code == "account_closed"
    assert {event["status"] for event in await world.events("wallet_ledger.wallet.status_changed")} == {"closed"}
    await change(world, ann, "closed")
    assert "closed_wallets" not in await forget(world, ann), "told again, nothing is left to do"
    assert await statuses(world, ann) == ["closed", "closed"]


async def test_money_that_came_in_at_the_last_moment_stays_and_is_frozen(world: World) -> None:
    ann = await world.person(300)
    erased = await forget(world, ann)
    assert (erased["closed_wallets"], erased["frozen_wallets"]) == (0, 1)
    assert (await world.poster.post(transaction(move(ann.account, "provider:test:KES", 1)))).code == "account_frozen"
    assert await world.balance(ann.account) == (300, 0)
