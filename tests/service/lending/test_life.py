"""The whole life of a loan, every minor unit accounted for."""

from decimal import ROUND_FLOOR, Decimal

from tests.service.lending.conftest import World

PARTS = (33_337, 41_111, 25_555)


async def test_from_application_to_the_last_repayment(world: World):
    borrower = await world.person()
    loan_id, lenders = await world.active(borrower, *PARTS, term_months=3)
    assert sum(PARTS) == 100_003
    # 2 % origination fee and 1 % for the reserve, half to even.
    assert world.ledger.balances["fees:KES"] == 2_000
    assert world.ledger.balances["reserve:KES"] == 1_000
    assert world.ledger.balance(borrower.account) == 97_003
    assert [world.ledger.balance(lender.account) for lender in lenders] == [0, 0, 0]
    (disbursed,) = await world.told("lending.loan.disbursed")
    assert (disbursed["net_amount_minor"], disbursed["disbursed_on"]) == (97_003, "2026-01-31")
    await world.check(loan_id)

    world.ledger.deposit(borrower.account, 10_000)
    installments = await world.schedule(borrower, loan_id)
    assert [one["due_on"] for one in installments] == ["2026-02-28", "2026-03-31", "2026-04-30"]
    assert sum(one["principal"] for one in installments) == 100_003
    assert (disbursed["first_due_on"], disbursed["first_due_minor"]) == ("2026-02-28", installments[0]["total"])
    for installment in installments:
        await world.close(installment["due_on"])
        paid = await world.repaid(borrower, loan_id, installment["total"])
        assert paid["status"] == "completed"
        assert (paid["principal"], paid["interest"]) == (installment["principal"], installment["interest"])
        assert paid["paid_on"] == installment["due_on"]
        await world.check(loan_id)

    loan = await world.get(borrower, f"/v1/loans/{loan_id}")
    assert (loan["status"], loan["outstanding_principal"], loan["next_due_on"]) == ("repaid", 0, None)
    assert {one["status"] for one in await world.schedule(borrower, loan_id)} == {"paid"}
    interest = sum(one["interest"] for one in installments)
    held = [await world.investment(lender) for lender in lenders]
    assert [one["status"] for one in held] == ["completed"] * 3
    assert [one["principal_received"] for one in held] == list(PARTS)
    assert sum(one["interest_received"] for one in held) == interest
    for lender, one in zip(lenders, held, strict=True):
        assert world.ledger.balance(lender.account) == one["amount"] + one["interest_received"] - one["service_fees"]
        most = (Decimal(one["interest_received"]) / 10).to_integral_value(ROUND_FLOOR)
        assert most - 2 <= one["service_fees"] <= most  # rounded down at each of three repayments
    assert world.ledger.balances["fees:KES"] == 2_000 + sum(one["service_fees"] for one in held)
    assert world.ledger.balance(borrower.account) == 97_003 + 10_000 - 100_003 - interest
    assert len(await world.told("lending.loan.repaid")) == 1
    assert len(await world.told("lending.repayment.completed")) == 3
    assert len(await world.told("lending.investment.paid")) == 9
    assert await world.told("lending.late_fee.charged") == []
    assert await world.told("lending.repayment.rejected") == []
    again = await world.repay(borrower, loan_id, 1)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_loan_status")


async def test_its_history_can_be_read(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, *PARTS)
    world.ledger.deposit(borrower.account, 10_000)
    payoff = await world.post(borrower, f"/v1/loans/{loan_id}/payoff", {})
    assert payoff.status_code == 202
    await world.deliver()
    events = await world.get(borrower, f"/v1/loans/{loan_id}/events")
    assert [one["type"] for one in events["items"]] == ["repaid", "repayment", "disbursed", "funded", "approved", "submitted"]
    assert not [one for one in events["items"] if "decided_by" in one["data"]]
    operators = await world.get(world.admin, f"/v1/loans/{loan_id}/events")
    assert [one["type"] for one in operators["items"] if "decided_by" in one["data"]] == ["approved"]
    paged = await world.get(borrower, f"/v1/loans/{loan_id}/events", limit=2)
    rest = await world.get(borrower, f"/v1/loans/{loan_id}/events", cursor=paged["next_cursor"])
    assert paged["items"] + rest["items"] == events["items"]
    assert rest["next_cursor"] is None


async def test_paying_ahead_what_is_shown_pays_only_what_is_owed(world: World):
    borrower = await world.person()
    loan_id, lenders = await world.active(borrower, *PARTS, term_months=2)
    world.ledger.deposit(borrower.account, 10_000)
    first, second = await world.schedule(borrower, loan_id)
    await world.close("2026-02-14")
    early = await world.repaid(borrower, loan_id, first["total"])
    assert early["amount"] == first["total"]
    assert early["interest"] < first["interest"]
    after = await world.schedule(borrower, loan_id)
    assert (after[0]["status"], after[0]["paid_on"]) == ("paid", "2026-02-14")
    assert after[1]["total"] < second["total"]
    await world.check(loan_id)

    await world.close("2026-03-15")
    last = await world.repaid(borrower, loan_id, after[1]["total"])
    assert (last["status"], last["amount"] < after[1]["total"]) == ("completed", True)
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)
    assert sum(world.ledger.balance(lender.account) for lender in lenders) > 100_003


async def test_a_payoff_costs_what_was_quoted(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, *PARTS)
    world.ledger.deposit(borrower.account, 10_000)
    await world.close("2026-02-20")
    quoted = await world.get(borrower, f"/v1/loans/{loan_id}/payoff")
    assert (quoted["date"], quoted["principal"], quoted["overdue"]) == ("2026-02-20", 100_003, 0)
    later = await world.get(borrower, f"/v1/loans/{loan_id}/payoff", date="2026-02-25")
    assert later["interest"] > quoted["interest"]
    before = world.ledger.balance(borrower.account)
    answer = await world.api.post(f"/v1/loans/{loan_id}/payoff", headers={**borrower.headers, "Idempotency-Key": "p"})
    assert (answer.status_code, answer.json()["kind"], answer.json()["status"]) == (202, "payoff", "pending")
    await world.deliver()
    assert before - world.ledger.balance(borrower.account) == quoted["amount"]
    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    await world.check(loan_id)
    again = await world.api.get(f"/v1/loans/{loan_id}/payoff", headers=borrower.headers)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_loan_status")


async def test_a_loan_without_interest(world: World):
    borrower = await world.person(5_000)
    loan_id, lenders = await world.active(borrower, 50_001, 50_002, annual_rate="0")
    for installment in await world.schedule(borrower, loan_id):
        await world.close(installment["due_on"])
        await world.repaid(borrower, loan_id, installment["total"])
        await world.check(loan_id)
    assert [world.ledger.balance(lender.account) for lender in lenders] == [50_001, 50_002]
