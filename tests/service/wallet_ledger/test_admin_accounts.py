"""Operators freeze, limit and close accounts, and nothing slips past them, however many are posting."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.wallet_ledger.commands import follow_wallet_uses as uses
from services.wallet_ledger.domain.entries import Hold, PostHold, VoidHold
from services.wallet_ledger.domain.transaction import Outcome
from shared.contracts.lending.investment_events import InvestmentHeld
from shared.contracts.lending.loan_events import LoanRepaid, LoanSubmitted
from shared.contracts.lending.wallet_use_events import WalletUseChanged
from shared.contracts.payments.deposit_events import DepositExpired, DepositStarted
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import MakePoster, Person, World, move, transaction
from tests.service.wallet_ledger.test_http import delivery_of, send
from tests.service.wallet_ledger.test_suspension import change as change_person
from tests.support.identity import bearer

PROVIDER = "provider:test:KES"
ADMIN_ID = new_id()
ADMIN = bearer(ADMIN_ID, roles=("admin",))


async def operate(world: World, account: str, action: str, *, status: int = 200, **body: Any) -> dict[str, Any]:
    """Do `action` to an account as an operator; the answer's JSON."""
    method = "PUT" if action == "limits" else "POST"
    answer = await world.client.request(
        method, f"/v1/admin/ledger/accounts/{account}/{action}", json={"reason": "A test", **body}, headers=ADMIN
    )
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def audited(world: World) -> list[tuple[str, str | None, Any, Any]]:
    return [(one["action"], one["subject_id"], one["before"], one["after"]) for one in await world.events("auth.action.taken")]


async def test_an_account_by_id_and_by_address(world: World) -> None:
    ann = await world.person(1_000)
    row = await world.account(ann.account)

    by_address = await world.client.get(f"/v1/admin/ledger/accounts/{ann.account}", headers=bearer(new_id(), roles=("support",)))
    by_id = await world.client.get(f"/v1/admin/ledger/accounts/{row['id']}", headers=ADMIN)
    unknown = await world.client.get("/v1/admin/ledger/accounts/99999999999999999999999", headers=ADMIN)

    assert by_address.json() == by_id.json()
    found = by_id.json()
    assert (found["balance"], found["status"], found["wallet_id"], found["user_id"], found["freezes"]) == (
        1_000, "open", str(ann.wallet_id), str(ann.id), [],
    )  # fmt: skip
    assert (unknown.status_code, unknown.json()["code"]) == (404, "account_not_found")


async def test_a_freeze_holds_until_an_operator_takes_it_back(world: World) -> None:
    ann, bo = await world.person(5_000), await world.person(5_000)

    frozen = await operate(world, ann.account, "freeze")
    again = await operate(world, ann.account, "freeze", reason="Another")

    assert frozen == again
    assert (frozen["status"], [one["frozen_by"] for one in frozen["freezes"]]) == ("frozen", [str(ADMIN_ID)])
    refused = await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "wallet_frozen")
    assert (await send(world, bo, {"wallet_id": str(ann.wallet_id)}, 1)).status_code == 201
    wallet = (await world.client.get(f"/v1/wallets/{ann.wallet_id}", headers=ann.headers)).json()
    assert wallet["status"] == "frozen"
    closing = await world.client.delete(f"/v1/wallets/{ann.wallet_id}", headers=ann.headers)
    assert (closing.status_code, closing.json()["code"]) == (409, "wallet_frozen")

    assert (await operate(world, ann.account, "unfreeze"))["status"] == "open"
    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)).status_code == 201

    assert [(action, subject, after["status"]) for action, subject, _, after in await audited(world)] == [
        ("account.frozen", ann.account, "frozen"), ("account.unfrozen", ann.account, "open"),
    ]  # fmt: skip
    assert [(one["wallet_id"], one["status"]) for one in await world.events("wallet_ledger.wallet.status_changed")] == [
        (str(ann.wallet_id), "frozen"), (str(ann.wallet_id), "open"),
    ]  # fmt: skip
    noted = (await world.client.get("/v1/admin/ledger/transactions?kind=account.frozen", headers=ADMIN)).json()["items"]
    assert [(one["reference"], one["transfer_count"]) for one in noted] == [(f"account:{ann.account}", 0)]


async def test_a_suspension_and_an_operators_freeze_do_not_undo_each_other(world: World) -> None:
    ann = await world.person()
    await operate(world, ann.account, "freeze")
    await change_person(world, ann, "suspended")
    await change_person(world, ann, "active")
    still = (await world.client.get(f"/v1/admin/ledger/accounts/{ann.account}", headers=ADMIN)).json()
    assert (still["status"], [one["cause"] for one in still["freezes"]]) == ("frozen", ["operator"])

    await change_person(world, ann, "suspended")
    unfrozen = await operate(world, ann.account, "unfreeze")
    assert (unfrozen["status"], [one["cause"] for one in unfrozen["freezes"]]) == ("frozen", ["suspension"])
    assert (await operate(world, ann.account, "unfreeze", status=409))["code"] == "owner_suspended"
    await change_person(world, ann, "active")
    assert (await world.account(ann.account))["status"] == "open"


class Crowd:
    """Posts from one account as fast as it can, through several posters, until told to stop."""

    def __init__(self, posters: list[Any], account: str) -> None:
        self._posters, self._account = posters, account
        self._over = False
        self._grew = asyncio.Event()
        self.outcomes: list[Outcome] = []
        self._tasks = [asyncio.create_task(self._post(poster)) for poster in posters for _ in range(8)]

    async def _post(self, poster: Any) -> None:
        while not self._over:
            self.outcomes.append(await poster.post(transaction(move(self._account, PROVIDER, 1))))
            self._grew.set()

    async def more(self, count: int, *, posted: bool | None = None) -> None:
        """Wait for so many further outcomes, of this kind if it is given."""
        begin = len(self.outcomes)
        while sum(posted in (None, one.posted) for one in self.outcomes[begin:]) < count:
            self._grew.clear()
            await asyncio.wait_for(self._grew.wait(), 60)

    async def stop(self) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)


@pytest.mark.parametrize("posters", [1, 3])
async def test_nothing_is_posted_after_the_freeze_is_answered(world: World, another_poster: MakePoster, posters: int) -> None:
    ann = await world.person(1_000_000)
    crowd = Crowd([world.poster, *[await another_poster() for _ in range(posters - 1)]], ann.account)
    for _ in range(2):
        await crowd.more(20, posted=True)

        await operate(world, ann.account, "freeze")
        answered_at = await world.owner.fetchval("SELECT max(sequence) FROM wallet_ledger.transactions")
        balance = await world.balance(ann.account)
        outcome = await world.poster.post(transaction(move(ann.account, PROVIDER, 1)))
        await crowd.more(40)

        assert (outcome.status, outcome.code) == ("rejected", "account_frozen")
        note = await world.owner.fetchval("SELECT max(sequence) FROM wallet_ledger.transactions WHERE kind = 'account.frozen'")
        assert note <= answered_at
        assert await world.balance(ann.account) == balance
        assert not await world.owner.fetchval(
            "SELECT count(*) FROM wallet_ledger.transactions WHERE sequence > $1 AND kind = 'test' AND status = 'posted'", note
        )
        await operate(world, ann.account, "unfreeze")
    await crowd.more(20, posted=True)
    await crowd.stop()


async def test_nothing_is_posted_after_a_suspension(world: World, another_poster: MakePoster) -> None:
    ann = await world.person(1_000_000)
    crowd = Crowd([world.poster, await another_poster()], ann.account)
    await crowd.more(20, posted=True)

    await change_person(world, ann, "suspended")
    balance = await world.balance(ann.account)
    outcome = await world.poster.post(transaction(move(ann.account, PROVIDER, 1)))
    await crowd.stop()

    assert outcome.code == "account_frozen"
    assert await world.balance(ann.account) == balance


async def test_limits_count_what_left_before_they_were_set(world_at_noon: World) -> None:
    world = world_at_noon
    ann, bo = await world.person(10_000), await world.person(10_000)
    promised = Hold(new_id(), ann.account, PROVIDER, 500, "KES")
    assert (await world.poster.post(transaction(move(ann.account, bo.account, 1_000), promised))).posted

    limited = await operate(world, ann.account, "limits", maximum_balance=9_000, daily_debit_total=2_000)

    assert (limited["maximum_balance"], limited["daily_debit_total"], limited["debited_today"]) == (9_000, 2_000, 1_500)
    refused = await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 501)
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_exceeded")
    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 500)).status_code == 201
    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)).json()["code"] == "limit_exceeded"
    assert (await world.poster.post(transaction(PostHold(promised.id)))).posted  # counted when it was promised
    assert (await send(world, bo, {"wallet_id": str(ann.wallet_id)}, 1_001)).json()["code"] == "limit_exceeded"
    assert (await send(world, bo, {"wallet_id": str(ann.wallet_id)}, 1_000)).status_code == 201

    lifted = await operate(world, ann.account, "limits", maximum_balance=None, daily_debit_total=None)
    assert (lifted["maximum_balance"], lifted["daily_debit_total"]) == (None, None)
    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 5_000)).status_code == 201
    limits = [(before["daily_debit_limit_minor"], after["daily_debit_limit_minor"]) for *_, before, after in await audited(world)]
    assert limits == [(None, 2_000), (2_000, None)]


async def further(world: World, person: Person) -> Person:
    """The same person's second wallet."""
    opened = await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=person.headers)
    return Person(person.id, opened.json()["id"], person.headers)


async def test_closing_waits_for_an_empty_wallet(world: World) -> None:
    ann = await world.person()
    savings = await further(world, ann)
    await world.fund(savings.account, 700)
    promise = Hold(new_id(), PROVIDER, savings.account, 50, "KES")

    async def close() -> tuple[int, str | None]:
        answer = await world.client.delete(f"/v1/wallets/{savings.wallet_id}", headers=ann.headers)
        return answer.status_code, answer.json()["code"] if answer.content else None

    assert await close() == (409, "account_not_empty")
    assert (await world.poster.post(transaction(move(savings.account, PROVIDER, 700), promise))).posted
    assert await close() == (409, "account_not_empty")
    assert (await world.poster.post(transaction(VoidHold(promise.id)))).posted
    stranger = await world.person()
    theirs = await world.client.delete(f"/v1/wallets/{savings.wallet_id}", headers=stranger.headers)
    assert (theirs.status_code, theirs.json()["code"]) == (404, "wallet_not_found")
    assert await close() == (204, None)
    assert await close() == (204, None)

    assert (await world.fund(savings.account, 1)).code == "account_closed"
    shown = (await world.client.get(f"/v1/wallets/{savings.wallet_id}", headers=ann.headers)).json()
    assert (shown["status"], shown["balance"]) == ("closed", 0)
    entries = (await world.client.get(f"/v1/wallets/{savings.wallet_id}/entries", headers=ann.headers)).json()["items"]
    assert [entry["amount"] for entry in entries] == [700, 700]
    assert (await operate(world, savings.account, "freeze", status=409))["code"] == "account_closed"
    assert [action for action, *_ in await audited(world)] == ["account.closed"]


async def test_what_others_count_on_is_not_closed(world: World) -> None:
    ann = await world.person()
    savings = await further(world, ann)
    common = {"user_id": ann.id, "wallet_id": savings.wallet_id, "amount_minor": 1, "currency": "KES", "provider": "test"}
    deposit_id, loan_id, investment_id = new_id(), new_id(), new_id()
    await uses.note_deposit(world.context, delivery_of(DepositStarted(deposit_id=deposit_id, **common), "payments"))
    share = {"investment_id": investment_id, "loan_id": loan_id, "lender_id": ann.id, "amount_minor": 1, "currency": "KES"}
    await uses.note_investment(world.context, delivery_of(InvestmentHeld(**share), "lending"))

    refused = await operate(world, savings.account, "close", status=409)
    assert refused["code"] == "wallet_in_use"
    assert f"deposit:{deposit_id}" in refused["detail"]
    assert f"investment:{investment_id}" in refused["detail"]

    await uses.forget_deposit(world.context, delivery_of(DepositExpired(deposit_id=deposit_id, **common), "payments"))
    assert (await operate(world, savings.account, "close", status=409))["code"] == "wallet_in_use"
    loan = {"loan_id": loan_id, "borrower_id": new_id(), "amount_minor": 1, "currency": "KES"}
    repaid = LoanRepaid(**loan, repaid_on=world.context.clock.now().date())
    await uses.forget_loan(world.context, delivery_of(repaid, "lending"))
    assert (await operate(world, savings.account, "close"))["status"] == "closed"


async def test_what_has_ended_in_whatever_way_is_not_counted_on(world: World) -> None:
    """An investment that is written off: no other event says so, and none of its loan's."""
    ann = await world.person()
    savings, other = await further(world, ann), await further(world, ann)
    loan_id, investment_id = new_id(), new_id()
    use = {"loan_id": loan_id, "user_id": ann.id, "wallet_id": savings.wallet_id, "currency": "KES"}
    held = InvestmentHeld(investment_id=investment_id, loan_id=loan_id, lender_id=ann.id, amount_minor=1, currency="KES")
    begun = WalletUseChanged.model_validate({**use, "reference": f"investment:{investment_id}", "in_use": True})

    await uses.note_investment(world.context, delivery_of(held, "lending"))  # a message of old: some wallet of hers
    assert (await operate(world, other.account, "close", status=409))["code"] == "wallet_in_use"
    await uses.follow_use(world.context, delivery_of(begun, "lending"))
    await uses.note_investment(world.context, delivery_of(held, "lending"))
    assert (await operate(world, other.account, "close"))["status"] == "closed"
    assert (await operate(world, savings.account, "close", status=409))["code"] == "wallet_in_use"
    for _ in range(2):
        ended = delivery_of(begun.model_copy(update={"in_use": False}), "lending")
        await uses.follow_use(world.context, ended)
    assert (await operate(world, savings.account, "close"))["status"] == "closed"


async def test_a_loans_account_stays_while_the_loan_does(world: World) -> None:
    loan = {"loan_id": new_id(), "borrower_id": new_id(), "amount_minor": 1, "currency": "KES"}
    account = f"loan:{loan['loan_id']}:funding"
    submitted = LoanSubmitted(**loan, term_months=3, annual_rate="0.1", risk_grade="A", purpose="x")
    await uses.note_loan(world.context, delivery_of(submitted, "lending"))
    assert (await world.poster.post(transaction(move(PROVIDER, account, 5), move(account, PROVIDER, 5)))).posted
    assert (await operate(world, account, "close", status=409))["code"] == "wallet_in_use"
    repaid = LoanRepaid(**loan, repaid_on=world.context.clock.now().date())
    await uses.forget_loan(world.context, delivery_of(repaid, "lending"))
    assert (await operate(world, account, "close"))["status"] == "closed"


async def test_what_stays_for_ever_and_what_closed_wallets_leave_room_for(world: World) -> None:
    ann = await world.person()
    await world.fund("fees:KES", 5)
    await world.poster.post(transaction(move("fees:KES", PROVIDER, 5)))

    assert (await operate(world, "fees:KES", "close", status=409))["code"] == "platform_account"
    assert (await operate(world, ann.account, "close", status=409))["code"] == "home_wallet"
    assert (await operate(world, PROVIDER, "close"))["status"] == "closed"
    second = await further(world, ann)
    for _ in range(18):
        await further(world, ann)
    full = await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=ann.headers)
    assert full.json()["code"] == "too_many_wallets"
    assert (await world.client.delete(f"/v1/wallets/{second.wallet_id}", headers=ann.headers)).status_code == 204
    assert (await world.client.post("/v1/wallets", json={"currency": "KES"}, headers=ann.headers)).status_code == 201


async def test_the_journals_clock_does_not_run_back(world: World) -> None:
    """A note whose process has a slow clock is booked no earlier than the transaction before."""
    ann = await world.person(10)
    async with world.context.unit_of_work() as work:
        await work.controls.take_turn()
        await work.controls.note("account.test", "x", reason=None, initiated_by=None, now=work.now - timedelta(days=1))
    assert (await world.fund(ann.account, 1)).posted


async def test_money_that_comes_in_while_a_wallet_is_closed_is_never_locked_in(world: World) -> None:
    ann = await world.person()
    for _ in range(12):
        savings = await further(world, ann)
        outcome, answer = await asyncio.gather(
            world.fund(savings.account, 1), world.client.delete(f"/v1/wallets/{savings.wallet_id}", headers=ann.headers)
        )
        balance_minor, _ = await world.balance(savings.account)
        if answer.status_code == 204:
            assert (outcome.code, balance_minor) == ("account_closed", 0)
        else:
            assert (answer.json()["code"], outcome.posted, balance_minor) == ("account_not_empty", True, 1)
