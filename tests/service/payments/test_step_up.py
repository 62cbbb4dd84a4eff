"""Paying out wants somebody who has just proved to be there; nothing is held or sent before."""

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.service.payments.conftest import World
from tests.support.identity import bearer

_LONG_AGO, _LATELY = 601, 300


@pytest.mark.parametrize(
    ("age_seconds", "claims", "methods"),
    [
        (_LONG_AGO, {}, []),
        (_LONG_AGO, {"step_up_methods": ["password"]}, ["password"]),
        (_LATELY, {"mfa": True, "step_up_methods": ["totp", "recovery_code"]}, ["totp", "recovery_code"]),
        (_LATELY, {"mfa": True, "mfa_time": int(time.time()) - 3600, "step_up_methods": ["passkey"]}, ["passkey"]),
        (0, {"auth_time": int(time.time()) + 3600}, []),
    ],
    ids=["old login", "old login, told how", "no second factor yet", "old second factor", "a time that is still to come"],
)
async def test_without_a_fresh_proof_nothing_is_paid_out(
    world: World, age_seconds: int, claims: dict[str, Any], methods: list[str]
) -> None:
    person = await world.person(balance=8_000)
    stolen = replace(person, headers=bearer(person.id, age_seconds=age_seconds, **claims))
    refused = await world.withdraw(stolen)
    assert refused.status_code == 401
    document = refused.json()
    assert (document["code"], document["methods"], document["max_age_seconds"]) == ("step_up_required", methods, 600)
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 0
    assert await world.owner.fetchval("SELECT count(*) FROM payments.idempotency_keys") == 0


async def test_with_a_fresh_second_factor_an_old_login_is_good(world: World) -> None:
    person = await world.person(balance=8_000)
    fresh = {"mfa": True, "mfa_time": int(time.time()) - 60, "step_up_methods": ["totp"]}
    proved = replace(person, headers=bearer(person.id, age_seconds=_LONG_AGO, **fresh))
    assert (await world.withdraw(proved)).status_code == 202
