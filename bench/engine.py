"""As a child: the ledger's poster with callers in its own process, as the queue's consumer and the HTTP endpoints call it."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import uvloop

from bench import children, sampling
from bench.closed_loop import Measured, Step, Timing, closed_loop
from bench.seed import CURRENCY
from runtime.platform import settle_memory
from services.wallet_ledger.domain.entries import Entry, Transfer
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.poster import Poster
from shared.clock import SystemClock
from shared.ids import new_id
from shared.service import open_database

LEGS = 10_000
"""Transfers of one transaction, where many post together."""
_HOT_ACCOUNT = f"fees:{CURRENCY}"


def _transaction(caller: int, entries: tuple[Entry, ...]) -> Transaction:
    return Transaction(new_id(), f"service-{caller}", str(new_id()), bytes(32), "transfer", entries)


class Callers:
    """Makes the steps of so many callers."""

    def __init__(self, poster: Poster, wallets: Sequence[str]) -> None:
        self._poster, self._wallets = poster, wallets

    def between_wallets(self, caller: int) -> Step:
        """One transfer between two wallets."""

        async def step() -> int:
            debit, credit = self._two_wallets()
            return await self._post(caller, (Transfer(new_id(), debit, credit, 1, CURRENCY),))

        return step

    def to_hot_account(self, caller: int) -> Step:
        """One transfer, from any wallet to always the same account."""

        async def step() -> int:
            return await self._post(caller, (Transfer(new_id(), self._two_wallets()[0], _HOT_ACCOUNT, 1, CURRENCY),))

        return step

    def of_many_legs(self, caller: int) -> Step:
        """Thousands of transfers in one transaction. The entries are made beforehand: they are the caller's, not the ledger's."""
        pairs = (self._two_wallets() for _ in range(LEGS))
        entries = tuple(Transfer(new_id(), debit, credit, 1, CURRENCY) for debit, credit in pairs)

        async def step() -> int:
            return await self._post(caller, entries)

        return step

    def _two_wallets(self) -> tuple[str, str]:
        """Any two. Cheaper than `random.sample`, since the callers share the poster's core."""
        count = len(self._wallets)
        first = int(random.random() * count)
        return self._wallets[first], self._wallets[first - 1 - int(random.random() * (count - 1))]

    async def _post(self, caller: int, entries: tuple[Entry, ...]) -> int:
        outcome = await self._poster.post(_transaction(caller, entries))
        assert outcome.posted, outcome
        return len(entries)


_Make = Callable[[Callers, int], Step]
FIGURES: dict[str, tuple[int, _Make]] = {
    "engine_16": (16, Callers.between_wallets),
    "engine_64": (64, Callers.between_wallets),
    "engine_hot_64": (64, Callers.to_hot_account),
    "legs": (4, Callers.of_many_legs),
}
"""How many callers, and what each of them does."""


async def _measure(figures: Sequence[str], wallets: Sequence[str], timing: Timing, *, profiled: bool) -> dict[str, Any]:
    database = open_database(Settings(), "wallet_ledger")
    poster = Poster(database, SystemClock())
    callers = Callers(poster, wallets)
    measured: dict[str, Measured] = {}
    await poster.start()
    try:
        settle_memory()
        for figure in figures:
            count, make = FIGURES[figure]
            steps = [make(callers, caller) for caller in range(count)]
            with sampling.sampled(enabled=profiled) as profile:
                measured[figure] = await closed_loop(steps, timing)
    finally:
        await poster.stop()
        await database.dispose()
    answer: dict[str, Any] = {name: one.as_json() for name, one in measured.items()}
    return {"measured": answer, "profile": profile.as_json()} if profiled else {"measured": answer}


def main() -> None:
    """As a child: measure what is asked for."""
    orders = children.orders()
    timing = Timing(orders["seconds"], orders["warm_up_seconds"])
    measured = _measure(orders["figures"], orders["wallets"], timing, profiled=orders.get("profiled", False))
    children.answer(uvloop.run(measured))


if __name__ == "__main__":
    main()
