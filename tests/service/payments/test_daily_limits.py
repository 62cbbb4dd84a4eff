"""How much somebody may pay in and out a day, by how well auth knows them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts.auth.kyc_events import KycLevelChanged
from tests.service.payments.conftest import Person, World

NOW = datetime.now(UTC)


async def known_as(world: World, person: Person, *, changed_at: datetime = NOW, **limits: Any) -> None:
    await world.handle(KycLevelChanged(user_id=person.id, level=1, changed_at=changed_at, **limits), source="auth")


async def test_withdrawals_stop_at_the_limit_of_the_day(world: World) -> None:
    person = await world.person(balance=100_000)
    assert (await world.withdraw(person, amount=5_000)).status_code == 202
    await known_as(world, person, daily_withdrawals_major=100)
    assert (await world.withdraw(person, amount=5_000)).status_code == 202
    refused = await world.withdraw(person, amount=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "daily_limit_exceeded")
    assert "0.00 KES of 100.00 KES" in refused.json()["detail"]
    await known_as(world, person, changed_at=NOW - timedelta(days=1))
    assert (await world.withdraw(person, amount=1)).status_code == 409, "older news changes nothing"
    await known_as(world, person, changed_at=NOW + timedelta(seconds=1))
    assert (await world.withdraw(person, amount=1)).status_code == 202, "no limit any more"


async def test_two_at_once_do_not_pass_together(world: World) -> None:
    person = await world.person(balance=100_000)
    await known_as(world, person, daily_withdrawals_major=60)
    answers = await asyncio.gather(*(world.withdraw(person, amount=5_000) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]


async def test_two_deposits_at_once_do_not_pass_together(world: World) -> None:
    person = await world.person()
    await known_as(world, person, daily_deposits_major=60)
    answers = await asyncio.gather(*(world.deposit(person, amount=5_000) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await world.owner.fetchval("SELECT sum(amount_minor) FROM payments.deposits") == 5_000


async def test_deposits_have_a_limit_of_their_own(world: World) -> None:
    person = await world.person()
    await known_as(world, person, daily_deposits_major=50)
    assert (await world.deposit(person, amount=5_000)).status_code == 201
    refused = await world.deposit(person, amount=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "daily_limit_exceeded")
