"""As a child: pages of statements, read in turn from a ledger with a short history and from one with a long one.

A page is what a wallet's owner sees of a month: the balances at both ends and the first 50 entries in between.
"""

import asyncio
import random
import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import uvloop

from bench import children
from bench.history import DAYS
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.statements import statement_of
from services.wallet_ledger.queries.wallets import By, entries_of, wallet_of
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.entries import EntryStore
from shared.service import Platform, Service

_ENTRIES = 50
_MONTH = timedelta(days=30)


def _service(url: str) -> Service:
    settings = Settings(database_url=url)
    return build(settings, Platform.of(settings))


async def _page(context: Context, wallet: Wallet, from_day: date, by: By) -> None:
    statement = await statement_of(context, wallet, from_day, from_day + _MONTH, by)
    async with context.read() as connection:
        store = EntryStore(connection)
        entries = await store.oldest(wallet.account_id, statement.after_version, statement.up_to_version, _ENTRIES)
    assert len(entries) == _ENTRIES, len(entries)


async def _newest(context: Context, wallet: Wallet, depth: float) -> None:
    last = 2 * _ENTRIES + int(depth * 100)
    assert len(await entries_of(context, wallet, last, _ENTRIES)) == _ENTRIES


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    seconds.sort()
    return {"p50": seconds[len(seconds) // 2] * 1000, "p99": seconds[len(seconds) * 99 // 100] * 1000}


async def _measure(orders: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """How long reads take, by kind of page and by ledger."""
    first_day = date.fromisoformat(orders["first_day"])
    services = {name: _service(ledger["url"]) for name, ledger in orders["ledgers"].items()}
    wallets = {
        name: [await wallet_of(services[name].context, UUID(user), UUID(wallet)) for user, wallet in ledger["owners"]]
        for name, ledger in orders["ledgers"].items()
    }
    kinds = ("statement", "effective", "entries")
    taken: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in services} for kind in kinds}
    for number in range(orders["warm_up"] + orders["pages"]):
        from_day = first_day + timedelta(days=random.randrange(1, DAYS - _MONTH.days - 2))
        for kind in kinds:
            for name, service in services.items():
                wallet = random.choice(wallets[name])
                began = time.perf_counter()
                if kind == "entries":
                    await _newest(service.context, wallet, random.random())
                else:
                    await _page(service.context, wallet, from_day, "effective" if kind == "effective" else "booked")
                if number >= orders["warm_up"]:
                    taken[kind][name].append(time.perf_counter() - began)
    await asyncio.gather(*(service.database.dispose() for service in services.values()))
    return {kind: {name: _percentiles(seconds) for name, seconds in of.items()} for kind, of in taken.items()}


def main() -> None:
    """As a child: read pages."""
    children.answer(uvloop.run(_measure(children.orders())))


if __name__ == "__main__":
    main()
