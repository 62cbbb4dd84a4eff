"""Repaying: late, too much, with too little money, at once, and in whatever order the ledger and the calendar answer."""

import asyncio
import random
from datetime import date, timedelta

import pytest

from services.lending.commands.sweep_sagas import sweep_sagas
from tests.service.lending.conftest import World

PARTS = (33_337, 41_111, 25_555)


async def test_late_costs_one_fee_after_five_days_of_grace(world: World):
    borrower = await world.person()
    loan_id, lenders = await world.active(borrower, *PARTS)
    world.ledger.deposit(borrower.account, 40_000)
    fees_before = world.ledger.balance("fees:KES")
    first = (await world.schedule(borrower, loan_id))[0]
    await world.close("2026-03-05")  # due on 28 February; the fifth day
    assert await world.told("lending.late_fee.charged") == []
    await world.close("2026-03-06")
    (charged,) = await world.told("lending.late_fee.charged")
    # The minimum of KES 100, which is more than 5 %.
    assert (charged["number"], charged["fee_minor"], charged["charged_on"]) == (1, 10_000, "2026-03-06")
    await world.close("2026-03-20")
    assert len(await world.told("lending.late_fee.charged")) == 1
    (overdue,) = await world.told("lending.installment.overdue")
    assert (overdue["bucket"], overdue["days_past_due"], overdue["number"]) == (1, 1, 1)
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["delinquency_bucket"] == 1
    late = (await world.schedule(borrower, loan_id))[0]
    assert (late["status"], late["fees"], late["total"]) == ("overdue", 10_000, first["total"] + 10_000)

    paid = await world.repaid(borrower, loan_id, late["total"])
    assert (paid["fees"], paid["interest"], paid["principal"]) == (10_000, first["interest"], first["principal"])
    service_fees = sum([(await world.investment(lender))["service_fees"] for lender in lenders])
    assert world.ledger.balance("fees:KES") == fees_before + 10_000 + service_fees
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["delinquency_bucket"] == 0
    await world.check(loan_id)
    await world.close("2026-03-25")
    assert len(await world.told("lending.late_fee.charged")) == 1


async def test_arrears_deepen(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, *PARTS, term_months=6)
    await world.close("2026-06-15")
    assert [one["bucket"] for one in await world.told("lending.installment.overdue")] == [1, 31, 61]
    assert [one["number"] for one in await world.told("lending.late_fee.charged")] == [1, 2, 3, 4]
    assert [one["number"] for one in await world.told("lending.installment.due")] == [1, 2, 3, 4]
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["delinquency_bucket"] == 61


async def test_too_large(world: World):
    borrower = await world.person(200_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    total = sum(one["total"] for one in await world.schedule(borrower, loan_id))
    answer = await world.repay(borrower, loan_id, total + 1)
    assert (answer.status_code, answer.json()["code"]) == (422, "repayment_too_large")
    assert answer.json()["detail"] == "Everything that is owed today is KES 1000.03. Pay that or less."
    assert await world.take() == []
    everything = await world.repaid(borrower, loan_id, total)
    assert (everything["amount"], everything["interest"]) == (100_003, 0)
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"


async def test_insufficient_funds(world: World):
    borrower = await world.person()
    loan_id, lenders = await world.active(borrower, *PARTS)
    refused = await world.repaid(borrower, loan_id, 97_004)
    assert (refused["status"], refused["failure_code"]) == ("rejected", "insufficient_funds")
    assert (refused["principal"], refused["interest"], refused["paid_on"]) == (0, 0, None)
    assert world.ledger.balance(borrower.account) == 97_003
    assert [world.ledger.balance(lender.account) for lender in lenders] == [0, 0, 0]
    (told,) = await world.told("lending.repayment.rejected")
    assert told["code"] == "insufficient_funds"
    assert await world.told("lending.repayment.completed") == []
    await world.check(loan_id)
    assert (await world.repaid(borrower, loan_id, 97_003))["status"] == "completed"
    await world.check(loan_id)


async def test_payments_take_turns(world: World):
    borrower = await world.person(50_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    answers = await asyncio.gather(*(world.repay(borrower, loan_id, amount) for amount in (30_001, 30_001, 30_001, 10_000)))
    assert [answer.status_code for answer in answers] == [202] * 4
    commands = await world.take()
    assert len(commands) == 1  # the others wait
    await world.handle(world.ledger.handle(commands[0], "lending"))
    await world.deliver()
    items = (await world.get(borrower, f"/v1/loans/{loan_id}/repayments"))["items"]
    assert sorted(one["status"] for one in items) == ["completed"] * 4
    # All on the day of the payout: principal only.
    assert sorted(one["principal"] for one in items) == [10_000, 30_001, 30_001, 30_001]
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)


async def test_what_no_longer_fits_is_refused_in_its_turn(world: World):
    borrower = await world.person(150_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    first = await world.repay(borrower, loan_id, 90_000)
    second = await world.repay(borrower, loan_id, 90_000)
    third = await world.repay(borrower, loan_id, 5_000)
    await world.deliver()
    seen = [
        await world.get(borrower, f"/v1/loans/{loan_id}/repayments/{answer.json()['id']}") for answer in (first, second, third)
    ]
    assert [one["status"] for one in seen] == ["completed", "rejected", "completed"]
    assert seen[1]["failure_code"] == "repayment_too_large"
    await world.check(loan_id)


async def test_a_payoff_behind_a_payment_pays_what_is_left(world: World):
    borrower = await world.person(50_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    await world.close("2026-02-15")
    payment = await world.repay(borrower, loan_id, 30_001)
    payoff = await world.post(borrower, f"/v1/loans/{loan_id}/payoff", {"wallet_id": str(borrower.wallet_id)})
    await world.deliver()
    path = f"/v1/loans/{loan_id}/repayments"
    paid = await world.get(borrower, f"{path}/{payment.json()['id']}")
    rest = await world.get(borrower, f"{path}/{payoff.json()['id']}")
    assert (paid["status"], rest["status"]) == ("completed", "completed")
    assert paid["principal"] + rest["principal"] == 100_003
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)


async def test_two_payoffs_pay_once(world: World):
    borrower = await world.person(150_000)
    loan_id, lenders = await world.active(borrower, *PARTS)
    answers = await asyncio.gather(*(world.post(borrower, f"/v1/loans/{loan_id}/payoff", {}) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [202] * 3
    await world.deliver()
    items = (await world.get(borrower, f"/v1/loans/{loan_id}/repayments"))["items"]
    assert sorted(one["status"] for one in items) == ["completed", "rejected", "rejected"]
    assert {one["failure_code"] for one in items} == {None, "nothing_owed"}
    assert [world.ledger.balance(lender.account) for lender in lenders] == list(PARTS)
    await world.check(loan_id)


async def test_a_fee_after_a_payment_of_the_same_day_leaves_it_as_it_was(world: World):
    """The fee of the sixth day comes when the day is closed, after what was paid during it."""
    borrower = await world.person(50_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    await world.close("2026-03-05")
    world.clock.advance(timedelta(days=34))  # 6 March, in real life
    partly = await world.repaid(borrower, loan_id, 20_000)
    assert (partly["paid_on"], partly["fees"]) == ("2026-03-06", 0)
    await world.check(loan_id)
    await world.close("2026-03-06")
    assert len(await world.told("lending.late_fee.charged")) == 1
    await world.check(loan_id)
    first = (await world.schedule(borrower, loan_id))[0]
    assert (first["fees"], first["paid"]) == (10_000, 20_000)
    again = await world.repaid(borrower, loan_id, 10_000)
    assert (again["fees"], again["paid_on"]) == (10_000, "2026-03-06")
    payoff = await world.get(borrower, f"/v1/loans/{loan_id}/payoff")
    await world.repaid(borrower, loan_id, payoff["amount"])
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)


async def test_a_day_closed_after_a_payment_of_the_next(world: World):
    borrower = await world.person(50_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    await world.close("2026-03-05")
    world.clock.advance(timedelta(days=35))  # 7 March, and the 6th is not closed yet
    await world.repaid(borrower, loan_id, 20_000)
    outstanding = (await world.get(borrower, f"/v1/loans/{loan_id}"))["outstanding_principal"]
    await world.close("2026-03-06")
    (charged,) = await world.told("lending.late_fee.charged")
    assert charged["charged_on"] == "2026-03-07"  # behind the payment, which stays as it was
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["outstanding_principal"] == outstanding
    payoff = await world.get(borrower, f"/v1/loans/{loan_id}/payoff")
    assert payoff["fees"] == 10_000
    await world.repaid(borrower, loan_id, payoff["amount"])
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)


async def test_no_fee_once_all_is_paid(world: World):
    borrower = await world.person(50_000)
    loan_id, _ = await world.active(borrower, *PARTS)
    await world.close("2026-03-05")
    world.clock.advance(timedelta(days=35))
    await world.post(borrower, f"/v1/loans/{loan_id}/payoff", {})
    await world.close("2026-03-06")  # the payoff is under way
    await world.deliver()
    assert await world.told("lending.late_fee.charged") == []
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"


async def test_a_close_that_counted_on_a_payment_which_fails(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, *PARTS)
    first = (await world.schedule(borrower, loan_id))[0]
    await world.close("2026-02-28")
    world.ledger.closed.add(borrower.account)
    await world.repay(borrower, loan_id, first["total"])
    await world.close("2026-03-01")
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["next_due_on"] == "2026-03-31"
    await world.deliver()
    loan = await world.get(borrower, f"/v1/loans/{loan_id}")
    assert (loan["next_due_on"], loan["delinquency_bucket"]) == ("2026-02-28", 1)
    await world.close("2026-03-06")
    assert [one["number"] for one in await world.told("lending.late_fee.charged")] == [1]


async def test_a_lost_answer_is_asked_for_again(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, *PARTS)
    await world.repay(borrower, loan_id, 20_000)
    (lost,) = await world.take()
    world.ledger.handle(lost, "lending")
    world.clock.advance(timedelta(minutes=1))
    await asyncio.gather(sweep_sagas(world.context), sweep_sagas(world.context))
    (again,) = await world.take()
    assert again == lost
    answer = world.ledger.handle(again, "lending")
    await asyncio.gather(*(world.handle(answer) for _ in range(3)))
    assert len(await world.told("lending.repayment.completed")) == 1
    assert world.ledger.balance(borrower.account) == 77_003
    await world.check(loan_id)


@pytest.mark.parametrize("surplus", ["next_installment", "shorten", "lower"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_any_way_of_paying_leaves_nothing_over(world: World, surplus: str, seed: int):
    """Odd payments on odd days, some in flight while days close, fees in between: lenders and borrower agree throughout."""
    chance = random.Random(seed)
    borrower = await world.person(100_000)
    loan_id, _ = await world.active(borrower, *PARTS, term_months=4, surplus=surplus, annual_rate="0.3650")
    day = date(2026, 1, 31)
    for _ in range(12):
        day += timedelta(days=chance.choice((1, 6, 9, 17)))
        await world.close(day)
        if chance.random() < 0.8:
            assert (await world.repay(borrower, loan_id, chance.choice((997, 4_001, 13_333)))).status_code in {202, 409, 422}
        if chance.random() < 0.7:
            await world.deliver()
            await world.check(loan_id)
        world.clock.advance(timedelta(days=chance.choice((0, 0, 3))))
    await world.deliver()
    if (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "active":
        await world.post(borrower, f"/v1/loans/{loan_id}/payoff", {})
        await world.deliver()
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)
