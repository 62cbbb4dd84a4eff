"""The poster plans on what it knows from before; what others did to the ledger meanwhile counts all the same."""

import asyncio
import random
from datetime import UTC, datetime

import asyncpg
import pytest

from services.wallet_ledger.domain.account import HoldStatus
from services.wallet_ledger.domain.entries import Hold, PostHold, VoidHold
from services.wallet_ledger.domain.ledger import run_batch
from services.wallet_ledger.store import known_ledger
from services.wallet_ledger.store.book_reader import read_book
from services.wallet_ledger.store.known_ledger import KnownLedger
from services.wallet_ledger.store.lane import TransactionRefused
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import MakePoster, World, move, transaction

_LIMITED = "UPDATE wallet_ledger.accounts SET {change} WHERE address = 'reserve:KES'"


async def known(world: World) -> None:
    """The poster has met the accounts, and there are 100 in the reserve."""
    assert (await world.poster.post(transaction(move("provider:test:KES", "reserve:KES", 100)))).posted
    assert (await world.poster.post(transaction(move("reserve:KES", "fees:KES", 1)))).posted


async def test_what_somebody_changes_by_hand_holds_at_once(world: World) -> None:
    for change, code in {
        "status = 'frozen'": "account_frozen",
        "status = 'open', daily_debit_limit_minor = 0": "daily_debit_limit_exceeded",
        "daily_debit_limit_minor = NULL, floor_minor = 295": "insufficient_funds",
    }.items():
        await known(world)
        await world.owner.execute(_LIMITED.format(change=change))
        assert (await world.poster.post(transaction(move("reserve:KES", "fees:KES", 5)))).code == code, change
        await world.owner.execute(_LIMITED.format(change="status = 'open', daily_debit_limit_minor = NULL, floor_minor = 0"))
    await world.owner.execute("UPDATE wallet_ledger.accounts SET maximum_balance_minor = 1 WHERE address = 'fees:KES'")
    assert (await world.poster.post(transaction(move("reserve:KES", "fees:KES", 5)))).code == "maximum_balance_exceeded"


async def test_what_another_process_posted_is_seen(world: World, another_poster: MakePoster) -> None:
    await known(world)
    other = await another_poster()
    assert (await other.post(transaction(move("reserve:KES", "fees:KES", 99)))).posted
    outcome = await world.poster.post(transaction(move("reserve:KES", "fees:KES", 1)))
    assert outcome.code == "insufficient_funds"
    assert (await other.post(transaction(move("fees:KES", "reserve:KES", 50)))).posted
    assert (await world.poster.post(transaction(move("reserve:KES", "fees:KES", 50)))).posted
    assert await world.balance("reserve:KES") == (0, 0)


async def test_two_processes_that_know_the_same_accounts_never_overdraw(world: World, another_poster: MakePoster) -> None:
    await known(world)
    posters = [world.poster, await another_poster(), await another_poster()]

    async def spend(number: int) -> bool:
        debit, credit = random.sample(("reserve:KES", "fees:KES"), 2)
        return (await posters[number % 3].post(transaction(move(debit, credit, random.randint(1, 60))))).posted

    taken = await asyncio.gather(*(spend(number) for number in range(300)))
    assert True in taken
    assert False in taken
    ends = [await world.balance(address) for address in ("reserve:KES", "fees:KES")]
    assert sum(balance for balance, _ in ends) == 100
    assert all(balance >= 0 for balance, _ in ends)


async def test_more_accounts_than_are_kept(world: World) -> None:
    kept, known_ledger.KEPT = known_ledger.KEPT, 8
    try:
        addresses = [f"loan:{number:08}-0000-7000-8000-000000000000:collections" for number in range(40)]
        for _ in range(2):
            outcomes = await asyncio.gather(
                *(world.poster.post(transaction(move("provider:test:KES", address, 1))) for address in addresses)
            )
            assert all(outcome.posted for outcome in outcomes)
        assert [await world.balance(address) for address in addresses] == [(2, 0)] * 40
    finally:
        known_ledger.KEPT = kept


async def test_a_key_from_before_is_found_by_who_never_saw_it(world: World, another_poster: MakePoster) -> None:
    first = transaction(move("provider:test:KES", "reserve:KES", 100))
    posted = await world.poster.post(first)
    other = await another_poster()
    assert (await other.post(transaction(move("provider:test:KES", "reserve:KES", 1)))).posted

    # Knowing both accounts by now, the other poster asks for nothing; the index of keys says that this one is taken.
    again, fresh = await asyncio.gather(other.post(first), other.post(transaction(move("reserve:KES", "fees:KES", 1))))
    assert again.known
    assert (again.sequence, again.transaction_id) == (posted.sequence, posted.transaction_id)
    assert fresh.posted
    other_use = first._replace(fingerprint=b"x" * 32)
    with pytest.raises(TransactionRefused):
        await other.post(other_use)
    assert await world.balance("reserve:KES") == (100, 0)


async def test_a_replay_is_answered_while_its_outcome_is_remembered_and_afterwards(world: World) -> None:
    kept, known_ledger.OUTCOMES_KEPT = known_ledger.OUTCOMES_KEPT, 4
    try:
        asked = [transaction(move("provider:test:KES", "fees:KES", 1)) for _ in range(30)]
        first = [await world.poster.post(one) for one in asked]
        again = [await world.poster.post(one) for one in asked]
    finally:
        known_ledger.OUTCOMES_KEPT = kept
    assert [one.sequence for one in again] == [one.sequence for one in first]
    assert all(one.known and one.posted for one in again)
    assert await world.balance("fees:KES") == (30, 0)


async def test_what_was_under_way_counts_no_more_once_others_have_posted(world: World) -> None:
    await known(world)
    held = Hold(new_id(), "reserve:KES", "fees:KES", 10, "KES")
    assert (await world.poster.post(transaction(held))).posted
    connection = await asyncpg.connect(world.service.database.dsn, server_settings={"search_path": "wallet_ledger"})
    ledger = KnownLedger()
    try:
        voiding = [transaction(VoidHold(held.id))]
        under_way = run_batch(await read_book(connection, voiding, ledger), voiding, datetime.now(UTC))
        ledger.follow(under_way)
        posting = [transaction(PostHold(held.id))]
        mine = await read_book(connection, posting, ledger, under_way=under_way, keys=True)
        assert mine.holds[held.id].status is HoldStatus.VOIDED

        for _ in range(2):
            assert (await world.poster.post(transaction(move("reserve:KES", "fees:KES", 1)))).posted
        theirs = await read_book(connection, posting, ledger, under_way=under_way, keys=True)
    finally:
        await connection.close()
    assert theirs.holds[held.id].status is HoldStatus.PENDING
    assert theirs.last_sequence == under_way.last_sequence + 1
    assert theirs.accounts["reserve:KES"].debits_pending_minor == 10
