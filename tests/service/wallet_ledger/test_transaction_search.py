"""Operators' search: every filter, page by page, against what a plain filter of everything finds."""

import itertools
import random
from typing import Any

import pytest

from services.wallet_ledger.store import transaction_search
from services.wallet_ledger.store.transaction_search import Search, TransactionSearch
from tests.service.wallet_ledger.conftest import World, move, transaction

_ACCOUNTS = ("provider:test:KES", "fees:KES", "reserve:KES", "suspense:KES")


async def play(world: World) -> list[dict[str, Any]]:
    """Some dozens of transactions, newest first, as a search sees them."""
    dice = random.Random(7)
    played = []
    for number in range(60):
        moves = [(*dice.sample(_ACCOUNTS, 2), dice.choice([1, 5, 50])) for _ in range(dice.randint(1, 5))]
        kind, reference = dice.choice(["fee", "gift"]), dice.choice([None, "loan:1"])
        outcome = await world.poster.post(transaction(*(move(*one) for one in moves), kind=kind, reference=reference))
        played.append({
            "sequence": outcome.sequence, "booked_at": outcome.booked_at, "kind": kind, "reference": reference,
            "status": outcome.status, "moves": moves if outcome.posted else [], "number": number,
        })  # fmt: skip
    return played[::-1]


def matches(one: dict[str, Any], search: Search) -> bool:
    plain = all(getattr(search, name) in (None, one[name]) for name in ("kind", "reference", "status"))
    if search.from_instant is not None and one["booked_at"] < search.from_instant:
        return False
    if search.to_instant is not None and one["booked_at"] >= search.to_instant:
        return False
    if search.account is None and not search.by_amount:
        return plain
    low, high = search.minimum_minor or 1, search.maximum_minor or 10**15
    return plain and any(
        low <= amount_minor <= high and search.account in (None, debit, credit) for debit, credit, amount_minor in one["moves"]
    )


@pytest.mark.parametrize("patient", [True, False], ids=["whole", "in stretches"])
async def test_every_filter_and_all_of_them(world: World, monkeypatch: pytest.MonkeyPatch, patient: bool) -> None:
    monkeypatch.setattr(transaction_search, "_FIRST_STRETCH", 3)
    monkeypatch.setattr(transaction_search, "_LONGEST_STRETCH", 7)
    played = await play(world)
    assert {one["status"] for one in played} == {"posted", "rejected"}
    period = (played[45]["booked_at"], played[9]["booked_at"])
    choices = itertools.product(
        (None, "fees:KES"), (None, "gift"), (None, "loan:1"), (None, "posted", "rejected"), ((None, None), period),
        ((None, None), (5, None), (2, 10)),
    )  # fmt: skip

    for account, kind, reference, status, days, amounts in choices:
        search = Search(account, kind, reference, status, *days, *amounts)
        seen: list[int] = []
        before: int | None = None
        for _ in range(100):
            async with world.context.read() as connection:
                finder = TransactionSearch(connection, enough_seconds=60 if patient else 0)
                found = await finder.find(search, before, 8)
            seen += [one.sequence for one in found.transactions]
            before = found.transactions[-1].sequence if len(found.transactions) == 8 else found.goes_on_before
            if before is None:
                break
        assert seen == [one["sequence"] for one in played if matches(one, search)], search


async def test_an_unknown_account_has_nothing(world: World) -> None:
    await play(world)
    async with world.context.read() as connection:
        found = await TransactionSearch(connection).find(Search(account="fees:XXX"), None, 10)
    assert (found.transactions, found.goes_on_before) == ([], None)
