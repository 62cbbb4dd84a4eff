"""The ledger service against its model: a slice by default, `make test-deep` for 100,000 operations.

The slice runs on the server that all tests share. A long run has one to itself: it needs some twenty-five connections at
times (two services with four kept and up to six more each, four lanes of posters, and its own), which a shared server may
have given to others just then; and it is as long as everything else that runs on this machine meanwhile together.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from migrations.runner import migrate
from tests.deep.ledger_machine import LedgerMachine
from tests.deep.ledger_stage import ledger_stage
from tests.support.embedded import embedded_server

OPERATIONS = int(os.environ.get("LENDERY_DEEP_OPERATIONS", "600"))
"""How many to do at least; the slice does the same ones each time, more of them are new ones each time."""
_SLICE = 5_000
SEED = int(os.environ.get("LENDERY_TEST_SEED", "0")) or (random.SystemRandom().randrange(1, 10**9) if OPERATIONS > _SLICE else 1)
_LONGEST_SECONDS = float(os.environ.get("LENDERY_DEEP_SECONDS", "3600"))


@pytest.fixture
def ledger_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty database."""
    if OPERATIONS <= _SLICE:
        yield request.getfixturevalue("database_url")
        return
    with embedded_server() as url:
        asyncio.run(migrate(url))
        yield url


def test_the_service_does_what_the_model_does(ledger_url: str) -> None:
    with ledger_stage(ledger_url) as stage:
        started = time.monotonic()
        rounds = settings(
            max_examples=4,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # what a race did cannot be made smaller by trying again
            suppress_health_check=list(HealthCheck),
        )
        print(f"LENDERY_TEST_SEED={SEED}")
        for number in count(SEED):
            machine: Any = seed(number)(lambda: LedgerMachine(stage))
            run_state_machine_as_test(machine, settings=rounds)
            seconds = time.monotonic() - started
            print(f"{stage.operations:,} of {OPERATIONS:,} operations, {stage.operations / seconds:,.0f}/s", flush=True)
            assert seconds < _LONGEST_SECONDS, "too slow"
            if stage.operations >= OPERATIONS:
                break
