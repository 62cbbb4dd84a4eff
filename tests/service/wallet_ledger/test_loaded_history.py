"""The history that `make bench-ledger-scale` loads is one that the poster could have written."""

import asyncpg
import pytest

from bench.history import load
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.verification import verify_ledger
from tests.service.wallet_ledger.conftest import move, settings_for, transaction
from tests.support.identity import platform_for_tests


@pytest.mark.slow
async def test_a_loaded_history_verifies_and_goes_on(database_url: str, owner: asyncpg.Connection) -> None:
    owners = await load(database_url, 6_000, 40, say=lambda _: None)

    service = build(settings_for(database_url), platform_for_tests())
    assert service.resources is not None
    async with service.resources():
        for number in range(3):
            moved = move(f"wallet:{owners[number].wallet_id}", f"wallet:{owners[number + 1].wallet_id}", 5)
            assert (await service.context.poster.post(transaction(moved))).posted
        report = await verify_ledger(service.context.database)
    await service.database.dispose()

    assert report.sound, report.faults
    assert report.counts["transfers"] == 6_000 + 40 + 3
    assert report.counts["ends_of_days"] > 0
    assert await owner.fetchval("SELECT count(*) FROM wallet_ledger.effective_shifts") > 0
