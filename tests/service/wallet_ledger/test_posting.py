"""Posting against PostgreSQL: money moves once, whole or not at all, whoever races."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.wallet_ledger.commands.expire_holds import expire_holds
from services.wallet_ledger.domain.entries import Hold, PostHold, PostHoldGroup, Transfer, VoidHold, VoidHoldGroup
from services.wallet_ledger.domain.problems import LedgerBusy
from services.wallet_ledger.domain.transaction import Outcome
from services.wallet_ledger.store.lane import TransactionRefused
from services.wallet_ledger.store.poster import PosterLimits
from shared.clock import FixedClock
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import MakePoster, World, move, transaction
from tests.support.identity import bearer


async def test_a_transfer_changes_both_accounts_and_tells(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    sent = transaction(move(ann.account, ben.account, 2_500), kind="gift", reference="birthday")

    outcome = await world.poster.post(sent)

    assert outcome.posted
    assert not outcome.replayed
    assert await world.balance(ann.account) == (7_500, 0)
    assert await world.balance(ben.account) == (2_500, 0)
    told = (await world.events("wallet_ledger.transaction.posted"))[-1]
    assert told["transaction_id"] == str(sent.id)
    assert (told["kind"], told["reference"], told["requested_by"]) == ("gift", "birthday", "tests")


async def test_too_little_money_changes_nothing_and_is_told(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    refused = transaction(move(ann.account, ben.account, 400), move(ann.account, ben.account, 601))

    outcome = await world.poster.post(refused)

    assert (outcome.posted, outcome.code) == (False, "insufficient_funds")
    assert await world.balance(ann.account) == (1_000, 0)
    assert await world.balance(ben.account) == (0, 0)
    (told,) = await world.events("wallet_ledger.transaction.rejected")
    assert told["code"] == "insufficient_funds"
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transfers") == 1


async def test_a_rejection_leaves_its_neighbours_alone(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    batch = [transaction(move(ann.account, ben.account, amount)) for amount in (300, 5_000, 300, 5_000, 400, 1)]

    outcomes = await asyncio.gather(*(world.poster.post(one) for one in batch))

    assert [outcome.posted for outcome in outcomes] == [True, False, True, False, True, False]
    assert await world.balance(ben.account) == (1_000, 0)


async def test_a_key_has_one_outcome_for_ever(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()

    def again() -> Outcome | object:
        return transaction(move(ann.account, ben.account, 100), key="k", fingerprint=b"\x07" * 32)

    first = await world.poster.post(again())
    second = await world.poster.post(again())

    assert not first.replayed
    assert second.replayed
    assert second.transaction_id == first.transaction_id
    assert await world.balance(ben.account) == (100, 0)
    with pytest.raises(TransactionRefused) as refused:
        await world.poster.post(transaction(move(ann.account, ben.account, 101), key="k", fingerprint=b"\x08" * 32))
    assert refused.value.refused.code == "idempotency_key_reused"
    assert await world.balance(ben.account) == (100, 0)


async def test_a_rejection_is_an_outcome_for_ever_too(world: World) -> None:
    ann, ben = await world.person(), await world.person()
    first = await world.poster.post(transaction(move(ann.account, ben.account, 100), key="k"))
    await world.fund(ann.account, 1_000)

    second = await world.poster.post(transaction(move(ann.account, ben.account, 100), key="k"))

    assert (first.code, second.code) == ("insufficient_funds", "insufficient_funds")
    assert second.replayed
    assert await world.balance(ben.account) == (0, 0)
    assert len(await world.events("wallet_ledger.transaction.rejected")) == 1


async def test_the_same_key_in_parallel_moves_money_once(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(10_000), await world.person()
    posters = [world.poster, await another_poster(), await another_poster()]

    outcomes = await asyncio.gather(
        *(posters[n % 3].post(transaction(move(ann.account, ben.account, 7), key=f"key {n // 30}")) for n in range(300))
    )

    assert all(outcome.posted for outcome in outcomes)
    assert sum(not outcome.replayed for outcome in outcomes) == 10
    assert await world.balance(ben.account) == (70, 0)


async def test_many_posters_never_overdraw_and_lose_nothing(world: World, another_poster: MakePoster) -> None:
    people = [await world.person(1_000) for _ in range(6)]
    posters = [world.poster, await another_poster(), await another_poster()]

    async def client(number: int) -> int:
        posted = 0
        for step in range(40):
            debit, credit = people[(number + step) % 6], people[(number * 5 + step * 3 + 1) % 6]
            if debit is credit:
                continue
            sent = transaction(move(debit.account, credit.account, 1 + (number * 37 + step * 91) % 600), scope=f"c{number}")
            posted += (await posters[number % 3].post(sent)).posted
        return posted

    posted = sum(await asyncio.gather(*(client(number) for number in range(12))))

    balances = [(await world.balance(person.account))[0] for person in people]
    assert sum(balances) == 6_000
    assert min(balances) >= 0
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transfers") == posted + 6


async def test_what_cannot_be_written_fails_alone(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    batch = [
        transaction(move(ann.account, ben.account, 10), description="bad \x00 text" if number == 5 else "fine")
        for number in range(12)
    ]

    outcomes = await asyncio.gather(*(world.poster.post(one) for one in batch), return_exceptions=True)

    assert [isinstance(outcome, Exception) for outcome in outcomes] == [number == 5 for number in range(12)]
    assert await world.balance(ben.account) == (110, 0)


async def test_an_id_that_is_taken_is_refused_alone(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    first = transaction(move(ann.account, ben.account, 10))
    await world.poster.post(first)
    others = [transaction(move(ann.account, ben.account, 10)) for _ in range(3)]

    outcomes = await asyncio.gather(
        *(world.poster.post(one) for one in (*others, transaction(move(ann.account, ben.account, 10), id=first.id))),
        return_exceptions=True,
    )

    assert isinstance(outcomes[3], TransactionRefused)
    assert outcomes[3].refused.code == "transaction_id_reused"
    assert await world.balance(ben.account) == (40, 0)


async def test_accounts_open_themselves_by_the_chart_and_only_when_something_is_posted(world: World) -> None:
    ann = await world.person(1_000)
    loan = f"loan:{new_id()}"

    rejected = await world.poster.post(transaction(move(ann.account, f"{loan}:funding", 2_000)))
    posted = await world.poster.post(transaction(move(ann.account, f"{loan}:collections", 500)))
    unknown = await world.poster.post(transaction(move(ann.account, "treasure:chest", 1)))
    no_wallet = await world.poster.post(transaction(move(ann.account, f"wallet:{new_id()}", 1)))

    assert (rejected.code, posted.posted) == ("insufficient_funds", True)
    assert (unknown.code, no_wallet.code) == ("account_not_found", "account_not_found")
    addresses = {row[0] for row in await world.owner.fetch("SELECT address FROM wallet_ledger.accounts")}
    assert addresses == {ann.account, "provider:test:KES", f"{loan}:collections"}


async def test_holds_are_posted_in_part_voided_and_settled_once(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    first, second = new_id(), new_id()
    await world.poster.post(
        transaction(Hold(first, ann.account, ben.account, 600, "KES"), Hold(second, ann.account, ben.account, 300, "KES"))
    )
    assert await world.balance(ann.account) == (1_000, 900)
    assert (await world.poster.post(transaction(move(ann.account, ben.account, 101)))).code == "insufficient_funds"

    assert (await world.poster.post(transaction(PostHold(first, 450)))).posted
    assert (await world.poster.post(transaction(VoidHold(second)))).posted

    assert await world.balance(ann.account) == (550, 0)
    assert await world.balance(ben.account) == (450, 0)
    assert (await world.poster.post(transaction(PostHold(first)))).code == "hold_already_posted"
    assert (await world.poster.post(transaction(PostHold(second)))).code == "hold_already_voided"
    assert (await world.poster.post(transaction(VoidHold(new_id())))).code == "hold_not_found"


async def test_racing_posts_and_voids_have_one_winner(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(10_000), await world.person()
    other = await another_poster()
    holds = [new_id() for _ in range(20)]
    for hold in holds:
        await world.poster.post(transaction(Hold(hold, ann.account, ben.account, 100, "KES")))

    outcomes = await asyncio.gather(
        *(world.poster.post(transaction(PostHold(hold))) for hold in holds),
        *(other.post(transaction(VoidHold(hold))) for hold in holds),
    )

    posts, voids = outcomes[:20], outcomes[20:]
    assert all(post.posted != void.posted for post, void in zip(posts, voids, strict=True))
    assert {outcome.code for outcome in outcomes if not outcome.posted} <= {"hold_already_posted", "hold_already_voided"}
    assert await world.balance(ben.account) == (100 * sum(post.posted for post in posts), 0)
    assert (await world.balance(ann.account))[1] == 0


async def test_a_group_funds_a_loan_in_one_transaction(world: World) -> None:
    lenders = [await world.person(1_000) for _ in range(5)]
    borrower = await world.person()
    loan = new_id()
    funding = f"loan:{loan}:funding"
    await asyncio.gather(
        *(
            world.poster.post(
                transaction(Hold(new_id(), lender.account, funding, 100 + n, "KES", f"loan:{loan}", kind="investment"))
            )
            for n, lender in enumerate(lenders)
        )
    )

    outcome = await world.poster.post(
        transaction(
            PostHoldGroup(f"loan:{loan}"),
            move(funding, borrower.account, 500),
            move(funding, "fees:KES", 8),
            move(funding, "reserve:KES", 2),
        )
    )

    assert outcome.posted
    assert await world.balance(borrower.account) == (500, 0)
    assert await world.balance(funding) == (0, 0)
    assert [await world.balance(lender.account) for lender in lenders] == [(900 - n, 0) for n in range(5)]
    assert (await world.poster.post(transaction(PostHoldGroup(f"loan:{loan}")))).code == "hold_group_empty"
    assert (await world.poster.post(transaction(VoidHoldGroup(f"loan:{loan}")))).posted


async def test_holds_and_what_settles_them_in_flight_together(world: World) -> None:
    """A lane decides on what the other lane is still writing: holds opened a moment ago, groups that grow."""
    ann, ben = await world.person(100_000), await world.person()
    group = f"loan:{new_id()}"

    async def one(number: int) -> None:
        hold = new_id()
        opened = world.poster.post(transaction(Hold(hold, ann.account, ben.account, 10, "KES", group), scope=f"s{number}"))
        settled = world.poster.post(transaction(PostHold(hold, 4), scope=f"s{number}"))
        assert [outcome.posted for outcome in await asyncio.gather(opened, settled)] == [True, True]

    for _ in range(5):
        await asyncio.gather(*(one(number) for number in range(40)))

    assert await world.balance(ben.account) == (800, 0)
    assert await world.balance(ann.account) == (99_200, 0)


async def test_a_hold_past_its_deadline_is_lost_to_both_and_swept(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(1_000), await world.person()
    hold = new_id()
    soon = world.context.clock.now() + timedelta(minutes=5)
    await world.poster.post(transaction(Hold(hold, ann.account, ben.account, 600, "KES", expires_at=soon), reference="loan:1"))
    await expire_holds(world.context)
    assert await world.balance(ann.account) == (1_000, 600)

    clock = FixedClock(soon)
    late = replace(world.context, clock=clock, poster=await another_poster(clock=clock))
    assert (await late.poster.post(transaction(PostHold(hold)))).code == "hold_expired"
    assert (await late.poster.post(transaction(VoidHold(hold)))).code == "hold_expired"
    await expire_holds(late)
    await expire_holds(late)

    assert await world.balance(ann.account) == (1_000, 0)
    assert await world.owner.fetchval("SELECT status FROM wallet_ledger.holds WHERE id = $1", hold) == "expired"
    expiries = [one for one in await world.events("wallet_ledger.transaction.posted") if one["kind"] == "hold.expiry"]
    assert [one["reference"] for one in expiries] == ["loan:1"]


async def test_beyond_its_room_the_poster_says_come_back_later(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(1_000), await world.person()
    small = await another_poster(PosterLimits(max_waiting=5))

    outcomes = await asyncio.gather(
        *(small.post(transaction(move(ann.account, ben.account, 1))) for _ in range(20)), return_exceptions=True
    )

    turned_away = [outcome for outcome in outcomes if isinstance(outcome, LedgerBusy)]
    assert len(turned_away) == 15
    assert turned_away[0].headers["Retry-After"]
    assert await world.balance(ben.account) == (5, 0)


async def test_frozen_accounts_give_nothing_and_closed_ones_take_nothing(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person(1_000)
    await world.owner.execute("UPDATE wallet_ledger.accounts SET status = 'frozen' WHERE address = $1", ann.account)

    assert (await world.poster.post(transaction(move(ann.account, ben.account, 1)))).code == "account_frozen"
    assert (await world.poster.post(transaction(move(ben.account, ann.account, 1)))).posted
    await world.owner.execute("UPDATE wallet_ledger.accounts SET status = 'closed' WHERE address = $1", ann.account)
    assert (await world.poster.post(transaction(move(ben.account, ann.account, 1)))).code == "account_closed"


async def test_limits_of_an_account(world_at_noon: World) -> None:
    world = world_at_noon
    ann, ben = await world.person(1_000), await world.person()
    await world.owner.execute("UPDATE wallet_ledger.accounts SET daily_debit_limit_minor = 500 WHERE address = $1", ann.account)
    await world.owner.execute("UPDATE wallet_ledger.accounts SET maximum_balance_minor = 450 WHERE address = $1", ben.account)

    assert (await world.poster.post(transaction(move(ann.account, ben.account, 400)))).posted
    assert (await world.poster.post(transaction(move(ann.account, "fees:KES", 101)))).code == "daily_debit_limit_exceeded"
    assert (await world.poster.post(transaction(move(ann.account, ben.account, 51)))).code == "maximum_balance_exceeded"
    assert (await world.poster.post(transaction(move(ann.account, "fees:KES", 100)))).posted


async def test_borrowed_ids_are_refused_quietly_and_alone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    ann, ben = await world.person(1_000), await world.person()
    theirs = transaction(move(ann.account, ben.account, 1))
    await world.poster.post(theirs)
    batch = [
        transaction(move(ann.account, ben.account, 1), id=theirs.id if number % 4 == 0 else None, scope=f"sender-{number}")
        for number in range(40)
    ]
    caplog.clear()

    outcomes = await asyncio.gather(*(world.poster.post(one) for one in batch), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, TransactionRefused)]
    assert {one.refused.code for one in refused} == {"transaction_id_reused"}
    assert [isinstance(outcome, Outcome) and outcome.posted for outcome in outcomes] == [number % 4 != 0 for number in range(40)]
    assert await world.balance(ben.account) == (31, 0)
    assert not caplog.records


async def test_an_exchange_is_both_sides_or_neither(world: World) -> None:
    """Two transfers of two currencies, linked in one transaction over the platform's positions in both."""
    ann = await world.person(12_900)
    opened = await world.client.post("/v1/wallets", json={"currency": "USD"}, headers=ann.headers)
    dollars = f"wallet:{opened.json()['id']}"

    def exchange(shillings: int, cents: int) -> tuple[Transfer, Transfer]:
        return move(ann.account, "position:KES", shillings), move("position:USD", dollars, cents, "USD")

    bought = transaction(*exchange(12_900, 100))
    assert (await world.poster.post(bought)).posted
    assert await world.balance(ann.account) == (0, 0)
    assert await world.balance(dollars) == (100, 0)
    assert [await world.balance(f"position:{code}") for code in ("KES", "USD")] == [(12_900, 0), (-100, 0)]

    poor = await world.poster.post(transaction(*reversed(exchange(1, 1))))  # what could be done is not done either
    mixed = await world.poster.post(transaction(move("position:USD", dollars, 1, "USD"), move(ann.account, dollars, 1)))
    crossed = await world.poster.post(transaction(move("position:KES", dollars, 1, "USD")))
    assert [one.code for one in (poor, mixed, crossed)] == ["insufficient_funds", "currency_mismatch", "currency_mismatch"]
    assert await world.balance(dollars) == (100, 0)
    assert await world.balance("position:USD") == (-100, 0)

    admin = bearer(new_id(), roles=("admin",))
    answer = await world.client.post(
        f"/v1/admin/ledger/transactions/{bought.id}/reverse",
        json={"reason": "The wrong rate"},
        headers={**admin, "Idempotency-Key": "x"},
    )
    assert answer.status_code == 201, answer.text
    ends = [await world.balance(account) for account in (ann.account, dollars, "position:KES", "position:USD")]
    assert ends == [(12_900, 0), (0, 0), (0, 0), (0, 0)]
