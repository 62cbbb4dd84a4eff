"""Token buckets, and what a client is told about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import limits
from gateway.limits import Decision, Limit, ProcessBuckets, decide


@given(
    st.integers(1, 20),
    st.integers(1, 100),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60),
)
def test_never_more_than_the_limit_in_any_window(requests: int, seconds: int, pauses: list[float]) -> None:
    limit = Limit(requests, seconds)
    full_at, now, passed = 0.0, 0.0, []
    for pause in pauses:
        now += pause
        full_at, decision = decide(full_at, now, limit)
        if decision.allowed:
            passed.append(now)
        else:
            assert decision.retry_in_seconds > 0
            _, later = decide(full_at, now + decision.retry_in_seconds + 1e-5, limit)
            assert later.allowed
        assert 0 <= decision.remaining < requests
    for at in passed:
        # A full bucket at once, and what flows in meanwhile.
        assert sum(at - seconds < other <= at for other in passed) <= 2 * requests


def test_a_bucket_fills_evenly() -> None:
    limit = Limit(3, 30)
    full_at = 0.0
    for left in (2, 1, 0):
        full_at, decision = decide(full_at, 0, limit)
        assert (decision.allowed, decision.remaining) == (True, left)
    unchanged, refused = decide(full_at, 4, limit)
    assert unchanged == full_at
    assert not refused.allowed
    assert refused.retry_in_seconds == pytest.approx(6)
    _, decision = decide(full_at, 10, limit)
    assert (decision.allowed, decision.remaining) == (True, 0)


async def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BUCKETS", 100)
    now = [0.0]
    buckets = ProcessBuckets(lambda: now[0])
    for number in range(1000):
        assert (await buckets.take(("somebody", number), Limit(1, 60))).allowed
    assert len(buckets._full_at) <= 101
    assert not (await buckets.take(("somebody", 999), Limit(1, 60))).allowed
    now[0] = 61
    assert (await buckets.take(("somebody", 999), Limit(1, 60))).allowed


def test_what_a_client_is_told() -> None:
    assert limits.fields("read", Limit(1200, 60), Decision(True, 1199, 0.05)) == [
        (b"ratelimit-policy", b'"read";q=1200;w=60'),
        (b"ratelimit", b'"read";r=1199;t=1'),
    ]


def test_limits_are_written_as_requests_and_seconds() -> None:
    assert Limit.parse("120/60") == Limit(120, 60)
    for text in ("120", "0/60", "10/0", "a/b", "-1/5", "5/-1"):
        with pytest.raises(ValueError):
            Limit.parse(text)
