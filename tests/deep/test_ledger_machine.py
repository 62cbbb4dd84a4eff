"""The ledger service against its model: a slice by default, `make test-deep` for 100,000 operations."""

import os
import random
import time
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.deep.ledger_machine import LedgerMachine
from tests.deep.ledger_stage import ledger_stage

OPERATIONS = int(os.environ.get("LENDERY_DEEP_OPERATIONS", "600"))
"""How many to do at least; the slice does the same ones each time, more of them are new ones each time."""
_SLICE = 5_000
SEED = int(os.environ.get("LENDERY_TEST_SEED", "0")) or (random.SystemRandom().randrange(1, 10**9) if OPERATIONS > _SLICE else 1)
_LONGEST_SECONDS = float(os.environ.get("LENDERY_DEEP_SECONDS", "3600"))


def test_the_service_does_what_the_model_does(database_url: str) -> None:
    with ledger_stage(database_url) as stage:
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
