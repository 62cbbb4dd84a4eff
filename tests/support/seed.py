"""The seed of tests that play with chance: the same each time, unless `LENDERY_TEST_SEED` or `LENDERY_TEST_RANDOM=1` is set."""

import os
import random


def _seed() -> int:
    if given := os.environ.get("LENDERY_TEST_SEED"):
        return int(given)
    return random.SystemRandom().randrange(1, 10**6) if os.environ.get("LENDERY_TEST_RANDOM") else 1


SEED = _seed()
