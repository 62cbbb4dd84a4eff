"""Operators' list of accounts: pages, prefixes and currencies, and that a page is read from an index however rare the prefix."""

import json
from typing import Any

from sqlalchemy.dialects import postgresql

from services.wallet_ledger.store.accounts import list_of_accounts
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World
from tests.support.identity import bearer

SUPPORT = bearer(new_id(), roles=("support",))


async def fill(world: World, wallets: int) -> None:
    await world.owner.execute(
        "INSERT INTO wallet_ledger.accounts (address, currency)"
        " SELECT 'wallet:' || lpad(n::text, 12, '0'), CASE WHEN n % 1000 = 7 THEN 'USD' ELSE 'KES' END"
        " FROM generate_series(1, $1) AS n",
        wallets,
    )
    for address in ("loan:a:funding", "loan:a:collections", "loan:b:funding", "fees:KES", "fees:USD"):
        currency = "USD" if address.endswith("USD") else "KES"
        await world.owner.execute("INSERT INTO wallet_ledger.accounts (address, currency) VALUES ($1, $2)", address, currency)


async def walk(world: World, **query: Any) -> list[str]:
    """All addresses, two at a time."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(20):
        answer = await world.client.get("/v1/admin/ledger/accounts", params={**query, "limit": 2, **cursor}, headers=SUPPORT)
        page = answer.json()
        found += [one["address"] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("the list has no end")


async def test_prefixes_and_currencies_page_by_page(world: World) -> None:
    await fill(world, 9)
    assert await walk(world, prefix="loan:") == ["loan:b:funding", "loan:a:funding", "loan:a:collections"]
    assert await walk(world, prefix="loan:a:f") == ["loan:a:funding"]
    assert await walk(world, prefix="loan:%") == []
    assert await walk(world, currency="USD") == ["wallet:000000000007", "fees:USD"]
    assert await walk(world, prefix="fees:", currency="USD") == ["fees:USD"]
    assert (await walk(world))[:3] == ["fees:USD", "fees:KES", "loan:b:funding"]
    assert len(await walk(world)) == 14


WANTED = (("fees:", None), ("loan:a", None), ("wallet:", "USD"), (None, "USD"), ("wallet:", None), (None, None))


async def test_a_page_reads_no_more_than_it_shows(world: World) -> None:
    await fill(world, 20_000)
    await world.owner.execute("ANALYZE wallet_ledger.accounts")
    for prefix, currency in WANTED:
        query = list_of_accounts(prefix, currency, None, 5)
        text = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        plan = json.loads(await world.owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}"))
        shown = plan[0]["Plan"]["Actual Rows"]
        assert 1 <= shown <= 5
        assert looked_at(plan[0]["Plan"]) <= shown + 5, (prefix, currency, plan)


def looked_at(node: dict[str, Any]) -> int:
    """Rows that the scans below a node of a plan gave or threw away."""
    below = sum(looked_at(child) for child in node.get("Plans", ()))
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Scan" in node["Node Type"] else 0
    return int(below + own)
