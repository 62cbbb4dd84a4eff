"""Which failures are worth another try, how many, and after how long."""

from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.failures import Failure, Retries, classify, describe
from shared.messaging.registry import UnknownType
from shared.problems import Forbidden, InvalidRequest, NotFound, RateLimited, ServiceUnavailable


class _Driver(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("key (email)=(someone@example.org)\nDETAIL: more")
        self.sqlstate = sqlstate


def database_error(sqlstate: str, **more: Any) -> sa.exc.DBAPIError:
    return sa.exc.DBAPIError("INSERT …", {"email": "someone@example.org"}, _Driver(sqlstate), **more)


def wrapped(error: Exception) -> Exception:
    try:
        raise RuntimeError("context") from error
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        OSError("disk"),
        TimeoutError(),
        sa.exc.TimeoutError("pool"),
        database_error("40001"),
        database_error("40P01"),
        database_error("55P03"),
        database_error("57P01"),
        database_error("57014"),
        database_error("53300"),
        database_error("08006"),
        database_error("XX000", connection_invalidated=True),
        asyncpg.DeadlockDetectedError("x"),
        asyncpg.ConnectionDoesNotExistError("x"),
        ServiceUnavailable(),
        RateLimited(),
        wrapped(ConnectionResetError()),
    ],
)
def test_trouble_around_us_may_pass(error: Exception) -> None:
    assert classify(error) is Failure.MAY_PASS


@pytest.mark.parametrize("error", [NotFound(), InvalidRequest(), Forbidden(), UnknownType("x.y.z"), wrapped(NotFound())])
def test_a_refusal_cannot_pass(error: Exception) -> None:
    assert classify(error) is Failure.CANNOT_PASS


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), database_error("23505"), database_error("42P01")])
def test_the_rest_is_unknown(error: Exception) -> None:
    assert classify(error) is Failure.UNKNOWN


def test_a_refusal_is_final_and_the_others_are_bounded() -> None:
    retries = Retries(attempts_if_may_pass=4, attempts_if_unknown=2)
    assert retries.exhausted(Failure.CANNOT_PASS, 1)
    assert [retries.exhausted(Failure.UNKNOWN, attempt) for attempt in (1, 2, 3)] == [False, True, True]
    assert [retries.exhausted(Failure.MAY_PASS, attempt) for attempt in (3, 4, 5)] == [False, True, True]


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_waits_grow_lose_at_most_half_to_chance_and_stay_bounded(attempt: int, chance: float) -> None:
    retries = Retries()
    wait = retries.delay_seconds(attempt, lambda: chance)
    full = retries.delay_seconds(attempt, lambda: 1.0)
    assert full / 2 <= wait <= full <= retries.longest_delay_seconds
    assert retries.delay_seconds(attempt + 1, lambda: 1.0) >= full


def test_all_waits_together_stay_below_the_brokers_patience() -> None:
    retries = Retries()
    total = sum(retries.delay_seconds(attempt, lambda: 1.0) for attempt in range(1, retries.attempts_if_may_pass))
    assert 60 < total < 5 * 60


def test_a_description_is_one_line_without_sql_parameters_or_nul() -> None:
    assert describe(database_error("23505")) == "_Driver: key (email)=(someone@example.org)"
    assert describe(ValueError("a\x00b\nsecond line")) == "ValueError: ab"
    assert describe(ValueError()) == "ValueError"
    assert describe(asyncpg.CannotConnectNowError()) == "CannotConnectNowError"
    assert len(describe(ValueError("x" * 10_000))) == 500
