"""Lending tells which wallets it counts on, and of every end that a loan or an investment can have."""

from dataclasses import replace
from uuid import UUID

from services.lending.commands.tell_wallet_uses import tell_wallet_uses
from services.lending.domain.investment import InvestmentStatus
from services.lending.domain.loan import LoanStatus
from services.lending.domain.wallet_use import ENDED_INVESTMENTS, ENDED_LOANS
from tests.service.lending.conftest import World

USES, SUBMITTED, HELD = "lending.wallet_use.changed", "lending.loan.submitted", "lending.investment.held"


async def in_use(world: World) -> dict[str, bool]:
    """What counts on a wallet, as somebody believes who heard everything in order."""
    return {one["reference"]: one["in_use"] for one in await world.told(USES)}


async def test_a_loan_and_its_parts_from_the_application_to_the_last_repayment(world: World) -> None:
    borrower = await world.person(200_000)
    loan_id, lenders = await world.active(borrower, 60_000, 40_000)
    rows = await world.owner.fetch("SELECT id, lender_id FROM lending.investments")
    parts = {row["lender_id"]: f"investment:{row['id']}" for row in rows}

    assert await in_use(world) == {f"loan:{loan_id}": True, **dict.fromkeys(parts.values(), True)}
    wallets = {one["reference"]: (one["user_id"], one["wallet_id"]) for one in await world.told(USES)}
    assert wallets[f"loan:{loan_id}"] == (str(borrower.id), str(borrower.wallet_id))
    for lender in lenders:
        assert wallets[parts[lender.id]] == (str(lender.id), str(lender.wallet_id))
    assert [one["wallet_id"] for one in await world.told(SUBMITTED)] == [str(borrower.wallet_id)]
    assert {one["wallet_id"] for one in await world.told(HELD)} == {str(lender.wallet_id) for lender in lenders}

    await world.post(borrower, f"/v1/loans/{loan_id}/payoff", {"wallet_id": str(borrower.wallet_id)})
    await world.deliver()

    assert (await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "repaid"
    assert await in_use(world) == {f"loan:{loan_id}": False, **dict.fromkeys(parts.values(), False)}


async def test_every_end_frees_the_wallet_and_nothing_else_does(world: World) -> None:
    """Written as they are, state by state: whoever adds a state or a way into one cannot forget to tell."""
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, 100_000)
    investment_id = await world.owner.fetchval("SELECT id FROM lending.investments")

    for status in LoanStatus:
        before = len(await world.told(USES))
        async with world.context.unit_of_work() as work:
            await work.loans.save(replace(await work.loans.lock(UUID(loan_id)), status=status))
        told = [(one["reference"], one["in_use"]) for one in (await world.told(USES))[before:]]
        assert told == ([(f"loan:{loan_id}", False)] if status in ENDED_LOANS else []), status
    for part in InvestmentStatus:
        before = len(await world.told(USES))
        async with world.context.unit_of_work() as work:
            await work.investments.save([replace(await work.investments.get(investment_id), status=part)])
        told = [(one["reference"], one["in_use"]) for one in (await world.told(USES))[before:]]
        assert told == ([(f"investment:{investment_id}", False)] if part in ENDED_INVESTMENTS else []), part


async def test_everything_can_be_told_again(world: World) -> None:
    borrower = await world.person()
    cancelled = (await world.apply(borrower)).json()["id"]
    await world.post(borrower, f"/v1/loans/{cancelled}/cancel")
    active, _ = await world.active(borrower, 70_000, 30_000)
    believed = await in_use(world)
    assert believed[f"loan:{cancelled}"] is False
    before = len(await world.told(USES))

    assert await tell_wallet_uses(world.context.unit_of_work) == 4
    again = (await world.told(USES))[before:]

    assert {one["reference"]: one["in_use"] for one in again} == believed
    assert [one["reference"] for one in again if one["reference"].startswith("loan:")] == [f"loan:{cancelled}", f"loan:{active}"]
