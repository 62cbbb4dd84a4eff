"""An operator freezes an account in the middle of everything: once that is answered nothing leaves it that was not promised.

Transfers go out of it over HTTP, deposits come in, holds are asked for, posted and voided, through three posters, all the
time. In what order each met the freeze, the journal says.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from services.wallet_ledger.domain.entries import Hold, PostHold, VoidHold
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import MakePoster, Person, World, move, transaction
from tests.service.wallet_ledger.test_admin_accounts import operate
from tests.service.wallet_ledger.test_http import send

PROVIDER = "provider:test:KES"
PROMISES = 400


class Traffic:
    """What happens to one account until it is told to stop, and how often each thing ended how."""

    def __init__(self, world: World, posters: list[object], ann: Person, bo: Person, promises: list[Hold]) -> None:
        self._world, self._posters, self._ann, self._bo, self._promises = world, posters, ann, bo, promises
        self._over, self._grew = False, asyncio.Event()
        self.ended: Counter[tuple[str, str]] = Counter()
        ways = (self._transfer, self._deposit, self._promise, self._settle)
        self._tasks = [asyncio.create_task(self._keep_on(way, number)) for way in ways for number in range(3)]

    async def _keep_on(self, way: Callable[[int], Awaitable[tuple[str, str] | None]], number: int) -> None:
        while not self._over and (ended := await way(number)) is not None:
            self.ended[ended] += 1
            self._grew.set()

    async def _post(self, number: int, *entries: object) -> str:
        outcome = await self._posters[number].post(transaction(*entries))  # type: ignore[attr-defined, arg-type]
        return outcome.code or outcome.status

    async def _transfer(self, _: int) -> tuple[str, str]:
        answer = await send(self._world, self._ann, {"wallet_id": str(self._bo.wallet_id)}, 1)
        return "transfer", "posted" if answer.status_code == 201 else answer.json()["code"]

    async def _deposit(self, number: int) -> tuple[str, str]:
        return "deposit", await self._post(number, move(PROVIDER, self._ann.account, 2))

    async def _promise(self, number: int) -> tuple[str, str]:
        return "promise", await self._post(number, Hold(new_id(), self._ann.account, PROVIDER, 1, "KES"))

    async def _settle(self, number: int) -> tuple[str, str] | None:
        if not self._promises:
            return None
        hold = self._promises.pop()
        if len(self._promises) % 4 == 0:
            return "void", await self._post(number, VoidHold(hold.id))
        return "settle", await self._post(number, PostHold(hold.id, 3))

    async def until(self, *wanted: tuple[str, str], more: int = 5) -> None:
        """Wait until each of these has ended so a few times more."""
        goal = {one: self.ended[one] + more for one in wanted}
        while any(self.ended[one] < count for one, count in goal.items()):
            self._grew.clear()
            await asyncio.wait_for(self._grew.wait(), 60)

    async def stop(self) -> None:
        """Let what is under way end."""
        self._over = True
        await asyncio.gather(*self._tasks)


async def test_nothing_leaves_a_frozen_account_but_what_was_promised(world: World, another_poster: MakePoster) -> None:
    ann, bo = await world.person(1_000_000), await world.person()
    promises = [Hold(new_id(), ann.account, bo.account, 4, "KES") for _ in range(PROMISES)]
    assert (await world.poster.post(transaction(*promises))).posted
    posters = [world.poster, await another_poster(), await another_poster()]
    traffic = Traffic(world, [*posters], ann, bo, promises)
    everything = [(what, "posted") for what in ("transfer", "deposit", "promise", "settle", "void")]
    await traffic.until(*everything)

    await operate(world, ann.account, "freeze")
    asked_after = await world.poster.post(transaction(move(ann.account, PROVIDER, 1)))
    after = await world.owner.fetchval("SELECT max(sequence) FROM wallet_ledger.transactions")
    refused = [("transfer", "wallet_frozen"), ("promise", "account_frozen")]
    await traffic.until(*refused, ("deposit", "posted"), ("settle", "posted"), ("void", "posted"))
    await traffic.stop()

    assert asked_after.code == "account_frozen"
    account = (await world.account(ann.account))["id"]
    (note,) = await world.owner.fetch("SELECT sequence FROM wallet_ledger.transactions WHERE kind = 'account.frozen'")
    assert note["sequence"] < after
    rows = await world.owner.fetch(
        "SELECT debit_account_id = $1 AS out, amount_minor, pending_minor FROM wallet_ledger.transfers"
        " WHERE transaction_sequence > $2 AND $1 IN (debit_account_id, credit_account_id)",
        account, note["sequence"],
    )  # fmt: skip
    left = Counter((row["amount_minor"], row["pending_minor"]) for row in rows if row["out"])
    assert set(left) == {(3, -4), (0, -4)}  # holds of before, posted for less or voided; no transfer, no new hold
    assert sum(not row["out"] for row in rows) >= 5
    # Those that were refused were refused for this, and only after it; nothing else was ever refused.
    assert set(traffic.ended) == {*everything, *refused}
    assert not await world.owner.fetchval(
        "SELECT count(*) FROM wallet_ledger.transactions WHERE sequence < $1 AND status = 'rejected'", note["sequence"]
    )
    await operate(world, ann.account, "unfreeze")
    assert (await send(world, ann, {"wallet_id": str(bo.wallet_id)}, 1)).status_code == 201
