"""Funding: who may lend how much, races for the last of it, and every way in which a round can end."""

import asyncio
from datetime import timedelta

import pytest

from services.lending.commands.sweep_sagas import sweep_sagas
from tests.service.lending.conftest import World


async def test_a_hold_is_asked_for_and_answered(world: World):
    borrower, lender = await world.person(), await world.person(40_000)
    loan_id = await world.listed(borrower)
    answer = await world.invest(lender, loan_id, 33_337)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    listing = await world.get(lender, f"/v1/loans/{loan_id}")
    assert (listing["funded_amount"], listing["remaining_amount"]) == (0, 66_666)
    await world.deliver()
    assert (await world.investment(lender))["status"] == "held"
    assert (await world.get(lender, f"/v1/loans/{loan_id}"))["funded_amount"] == 33_337
    assert world.ledger.available(lender.account) == 6_663
    assert world.ledger.balance(lender.account) == 40_000
    (told,) = await world.told("lending.investment.held")
    assert told["amount_minor"] == 33_337


async def test_too_little_money_makes_room_for_others(world: World):
    borrower, poor, rich = await world.person(), await world.person(99_999), await world.person(100_003)
    loan_id = await world.listed(borrower)
    await world.invest(poor, loan_id, 100_003)
    full = await world.invest(rich, loan_id, 100_003)
    assert (full.status_code, full.json()["code"]) == (409, "funding_closed")
    await world.deliver()
    rejected = await world.investment(poor)
    assert (rejected["status"], rejected["failure_code"]) == ("rejected", "insufficient_funds")
    (told,) = await world.told("lending.investment.rejected")
    assert told["code"] == "insufficient_funds"
    assert (await world.invest(rich, loan_id, 100_003)).status_code == 202
    await world.deliver()
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "active"
    assert world.ledger.balance(poor.account) == 99_999
    # Who could not pay is no party: the loan is not theirs to see any more.
    for path in (f"/v1/loans/{loan_id}", f"/v1/loans/{loan_id}/schedule"):
        assert (await world.api.get(path, headers=poor.headers)).status_code == 404


async def test_never_above_the_goal(world: World):
    borrower, lender = await world.person(), await world.person(200_000)
    loan_id = await world.listed(borrower)
    too_much = await world.invest(lender, loan_id, 100_004)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "funding_goal_exceeded")
    cut = await world.invest(lender, loan_id, 100_004, allow_less=True)
    assert (cut.status_code, cut.json()["amount"]) == (202, 100_003)
    await world.deliver()
    assert (await world.get(lender, f"/v1/loans/{loan_id}"))["status"] == "active"
    late = await world.invest(await world.person(1_000), loan_id, 1_000)
    assert (late.status_code, late.json()["code"]) == (409, "funding_closed")


async def test_the_last_part_may_be_below_the_minimum(world: World):
    borrower, lender = await world.person(), await world.person(200_000)
    loan_id = await world.listed(borrower)
    small = await world.invest(lender, loan_id, 999)
    assert (small.status_code, small.json()["code"]) == (422, "investment_too_small")
    await world.invest(lender, loan_id, 100_000)
    assert (await world.invest(lender, loan_id, 3)).status_code == 202


async def test_a_large_loan_takes_no_crowd_that_one_transaction_could_not_pay(world: World):
    borrower, lender = await world.person(), await world.person(200_000)
    loan_id = await world.listed(borrower, amount=100_000_000)
    small = await world.invest(lender, loan_id, 19_999)
    assert (small.status_code, small.json()["code"]) == (422, "investment_too_small")
    assert (await world.invest(lender, loan_id, 20_000)).status_code == 202


async def test_two_lenders_for_the_last_amount(world: World):
    borrower, *lenders = [await world.person(100_003) for _ in range(7)]
    loan_id = await world.listed(borrower)
    answers = await asyncio.gather(*(world.invest(lender, loan_id, 100_003) for lender in lenders))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"funding_closed"}
    commands = await world.take()
    assert len(commands) == 1
    await world.handle(world.ledger.handle(commands[0], "lending"))
    await world.deliver()
    assert sum(world.ledger.balance(lender.account) == 0 for lender in lenders) == 1
    await world.check(loan_id)


async def test_many_at_once_fill_it_exactly(world: World):
    borrower, *lenders = [await world.person(30_001) for _ in range(8)]
    loan_id = await world.listed(borrower)
    answers = await asyncio.gather(*(world.invest(lender, loan_id, 30_001, allow_less=True) for lender in lenders))
    taken = sorted(answer.json()["amount"] for answer in answers if answer.status_code == 202)
    assert taken == [10_000, 30_001, 30_001, 30_001]
    commands = await world.take()
    await asyncio.gather(*(world.handle(world.ledger.handle(command, "lending")) for command in commands))
    assert await world.deliver() == 1  # the payout, asked for once
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "active"
    assert len(await world.told("lending.loan.funded")) == 1
    await world.check(loan_id)


async def test_answers_twice_late_and_at_once_change_nothing(world: World):
    borrower, lender = await world.person(), await world.person(100_003)
    loan_id = await world.listed(borrower)
    await world.invest(lender, loan_id, 100_003)
    (hold,) = await world.take()
    held = world.ledger.handle(hold, "lending")
    await asyncio.gather(*(world.handle(held) for _ in range(3)))
    (payout,) = await world.take()
    paid = world.ledger.handle(payout, "lending")
    await asyncio.gather(*(world.handle(paid) for _ in range(3)))
    await world.handle(held)
    assert await world.take() == []
    assert len(await world.told("lending.loan.disbursed")) == 1
    assert len(await world.told("lending.investment.activated")) == 1
    assert (await world.investment(lender))["status"] == "active"
    foreign = paid.model_copy(update={"requested_by": "payments"})
    assert await world.handle(foreign)
    await world.check(loan_id)


async def test_a_lost_answer_is_asked_for_again(world: World):
    borrower, lender = await world.person(), await world.person(100_003)
    loan_id = await world.listed(borrower)
    await world.invest(lender, loan_id, 100_003)
    for _ in range(2):  # the hold, then the payout: each answer is lost once
        (lost,) = await world.take()
        world.ledger.handle(lost, "lending")
        await sweep_sagas(world.context)
        assert await world.take() == []
        world.clock.advance(timedelta(minutes=1))
        await sweep_sagas(world.context)
        (again,) = await world.take()
        assert again == lost
        await world.handle(world.ledger.handle(again, "lending"))
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "active"
    world.clock.advance(timedelta(hours=1))
    await sweep_sagas(world.context)
    assert await world.take() == []
    await world.check(loan_id)


async def test_a_round_that_makes_trouble_holds_up_nobody(world: World, monkeypatch: pytest.MonkeyPatch):
    borrower, lender = await world.person(), await world.person(50_000)
    await world.listed(borrower, funding_days=1)
    loan_id = await world.listed(borrower)
    world.clock.advance(timedelta(days=1, minutes=-1))
    await world.invest(lender, loan_id, 50_000)
    (lost,) = await world.take()
    world.clock.advance(timedelta(minutes=1))

    async def trouble(*_: object) -> bool:
        raise RuntimeError("trouble")

    monkeypatch.setattr("services.lending.commands.sweep_sagas.expire_loan", trouble)
    await sweep_sagas(world.context)
    assert await world.take() == [lost]
    assert await world.told("lending.loan.expired") == []
    monkeypatch.undo()
    await sweep_sagas(world.context)
    assert len(await world.told("lending.loan.expired")) == 1


async def test_cancelling_gives_everybody_their_money_back(world: World):
    borrower, lenders = await world.person(), [await world.person(33_000) for _ in range(2)]
    loan_id = await world.listed(borrower)
    for lender in lenders:
        await world.invest(lender, loan_id, 33_000)
    await world.deliver()
    assert [world.ledger.available(lender.account) for lender in lenders] == [0, 0]
    stranger = await world.post(lenders[0], f"/v1/loans/{loan_id}/cancel")
    assert (stranger.status_code, stranger.json()["code"]) == (404, "loan_not_found")
    cancelled = await world.post(borrower, f"/v1/loans/{loan_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert [(await world.investment(lender))["status"] for lender in lenders] == ["held", "held"]
    assert await world.deliver() == 1
    assert [(await world.investment(lender))["status"] for lender in lenders] == ["released", "released"]
    assert [world.ledger.available(lender.account) for lender in lenders] == [33_000, 33_000]
    assert len(await world.told("lending.investment.released")) == 2
    again = await world.post(borrower, f"/v1/loans/{loan_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_loan_status")


@pytest.mark.parametrize("hold_first", [True, False], ids=["hold answered first", "release answered first"])
@pytest.mark.parametrize("balance", [40_000, 0], ids=["held after all", "refused"])
async def test_cancelling_with_a_hold_in_flight(world: World, hold_first: bool, balance: int):
    borrower, held, flying = await world.person(), await world.person(33_000), await world.person(balance)
    loan_id = await world.listed(borrower)
    await world.invest(held, loan_id, 33_000)
    await world.deliver()
    await world.invest(flying, loan_id, 40_000)
    assert (await world.post(borrower, f"/v1/loans/{loan_id}/cancel")).status_code == 200
    hold, release = await world.take()
    commands = [hold, release] if hold_first else [release, hold]
    for command in commands:
        await world.handle(world.ledger.handle(command, "lending"))
    await world.deliver()
    assert (await world.investment(held))["status"] == "released"
    assert (await world.investment(flying))["status"] == ("released" if balance else "rejected")
    assert world.ledger.holds == {}
    assert world.ledger.balance(borrower.account) == 0
    assert await world.told("lending.loan.disbursed") == []


async def test_the_deadline_passes(world: World):
    borrower, lender, flying = await world.person(), await world.person(33_000), await world.person(33_000)
    loan_id = await world.listed(borrower, funding_days=1)
    await world.invest(lender, loan_id, 33_000)
    await world.deliver()
    await world.invest(flying, loan_id, 33_000)
    world.clock.advance(timedelta(days=1, seconds=-1))
    await sweep_sagas(world.context)
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "funding"
    world.clock.advance(timedelta(seconds=1))
    late = await world.invest(lender, loan_id, 1_000)
    assert (late.status_code, late.json()["code"]) == (409, "funding_closed")
    await asyncio.gather(sweep_sagas(world.context), sweep_sagas(world.context))
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "expired"
    await world.deliver()
    assert (await world.investment(lender))["status"] == "released"
    assert (await world.investment(flying))["status"] == "released"
    assert world.ledger.holds == {}
    assert len(await world.told("lending.loan.expired")) == 1
    assert await world.told("lending.loan.cancelled") == []


async def test_the_last_answer_races_with_the_deadline(world: World):
    borrower, lender = await world.person(), await world.person(100_003)
    loan_id = await world.listed(borrower, funding_days=1)
    await world.invest(lender, loan_id, 100_003)
    (hold,) = await world.take()
    answer = world.ledger.handle(hold, "lending")
    world.clock.advance(timedelta(days=1))
    await asyncio.gather(sweep_sagas(world.context), world.handle(answer))
    await world.deliver()
    loan, part = await world.get(borrower, f"/v1/loans/{loan_id}"), await world.investment(lender)
    assert (loan["status"], part["status"]) in {("active", "active"), ("expired", "released")}
    assert world.ledger.available(lender.account) == (0 if loan["status"] == "active" else 100_003)
    assert world.ledger.holds == {}


async def test_a_simulated_round_ends_in_simulated_time(world: World):
    borrower, lender = await world.person(), await world.person(33_000)
    await world.close("2026-06-30")
    loan_id = await world.listed(borrower, funding_days=2)
    await world.invest(lender, loan_id, 33_000)
    await world.deliver()
    await world.close("2026-07-01")
    await sweep_sagas(world.context)
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "funding"
    closed = await world.close("2026-07-02")
    assert closed["days"] == [{"business_date": "2026-07-02", "counts": {"rounds_expired": 1}}]
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "expired"
    await world.deliver()
    assert world.ledger.available(lender.account) == 33_000


async def test_a_refused_payout_is_made_good(world: World):
    borrower, lenders = await world.person(), [await world.person(50_000), await world.person(50_003)]
    loan_id = await world.listed(borrower)
    world.ledger.closed.add(borrower.account)
    await world.invest(lenders[0], loan_id, 50_000)
    await world.invest(lenders[1], loan_id, 50_003)
    await world.deliver()
    loan = await world.get(borrower, f"/v1/loans/{loan_id}")
    assert (loan["status"], loan["reason"]) == ("failed", "could not be paid out: The ledger says no.")
    assert [(await world.investment(lender))["status"] for lender in lenders] == ["released", "released"]
    assert [world.ledger.available(lender.account) for lender in lenders] == [50_000, 50_003]
    assert world.ledger.balance("fees:KES") == 0
    assert await world.told("lending.loan.disbursed") == []
    assert len(await world.told("lending.loan.cancelled")) == 1
    cancel = await world.post(borrower, f"/v1/loans/{loan_id}/cancel")
    assert (cancel.status_code, cancel.json()["code"]) == (409, "wrong_loan_status")


async def test_nobody_lends_to_themselves_or_to_what_is_not_listed(world: World):
    borrower, lender = await world.person(200_000), await world.person(200_000)
    loan_id = await world.listed(borrower)
    own = await world.invest(borrower, loan_id, 10_000)
    assert (own.status_code, own.json()["code"]) == (409, "own_loan")
    submitted = (await world.apply(borrower)).json()["id"]
    unlisted = await world.invest(lender, submitted, 10_000)
    assert (unlisted.status_code, unlisted.json()["code"]) == (404, "loan_not_found")
    await world.post(borrower, f"/v1/loans/{submitted}/cancel")
    assert (await world.invest(lender, submitted, 10_000)).status_code == 404
    assert await world.take() == []


async def test_whose_wallet_and_in_which_currency(world: World):
    borrower, lender, other = await world.person(), await world.person(200_000), await world.person(200_000)
    loan_id = await world.listed(borrower)
    theirs = await world.invest(lender, loan_id, 10_000, wallet_id=str(other.wallet_id))
    assert (theirs.status_code, theirs.json()["code"]) == (404, "wallet_not_found")
    dollars = await world.person(200_000, currency="USD")
    mismatch = await world.invest(dollars, loan_id, 10_000)
    assert (mismatch.status_code, mismatch.json()["code"]) == (422, "currency_mismatch")
    assert await world.take() == []
    assert (await world.get(lender, "/v1/investments"))["items"] == []
