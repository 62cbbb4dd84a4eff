"""The life of signing keys: published ahead, one signs, the last tokens are outlived, and a revoked one is gone at once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.signing_keys import (
    PUBLISHED_AHEAD,
    VERIFIES_FOR,
    SigningKey,
    first_use,
    rotation_due,
    signing_key,
    spent,
    state_of,
    superseded,
)
from shared.identity import jwks, tokens

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERIOD = timedelta(days=30)


def key(name: str, *, activates: timedelta = timedelta(0), **fields: object) -> SigningKey:
    made = {"public_jwk": {"kid": name}, "private_key_pem": "pem", "created_at": NOW, "activates_at": NOW + activates}
    return SigningKey(name, **{**made, **fields})  # type: ignore[arg-type]


def test_the_spans_fit_what_others_remember() -> None:
    assert timedelta(seconds=jwks.FRESH_SECONDS) < PUBLISHED_AHEAD
    assert timedelta(seconds=tokens.MAX_LIFETIME_SECONDS + tokens.LEEWAY_SECONDS) + timedelta(minutes=10) < VERIFIES_FOR


def test_the_first_key_signs_at_once_and_the_next_is_published_ahead() -> None:
    assert rotation_due([], NOW, PERIOD)
    assert first_use([], NOW, at_once=False) == NOW
    old = key("old", activates=-PERIOD)
    assert rotation_due([old], NOW, PERIOD)
    assert not rotation_due([old], NOW - timedelta(seconds=1), PERIOD)
    assert first_use([old], NOW, at_once=False) == NOW + PUBLISHED_AHEAD
    assert first_use([old], NOW, at_once=True) == NOW


def test_a_rotation_overlaps() -> None:
    old, new = key("old", activates=-PERIOD), key("new", activates=PUBLISHED_AHEAD)
    keys = [new, old]
    assert not rotation_due(keys, NOW, PERIOD), "it is under way"
    assert [state_of(one, keys, NOW) for one in keys] == ["upcoming", "signing"]
    assert all(one.published(NOW) for one in keys)
    assert superseded(keys, NOW) == []
    then = NOW + PUBLISHED_AHEAD
    assert signing_key(keys, then) == new
    assert superseded(keys, then) == [old]
    retired = key("old", activates=-PERIOD, retired_at=then)
    last = then + VERIFIES_FOR
    assert state_of(retired, [new, retired], then) == "retired"
    assert retired.published(last - timedelta(seconds=1))
    assert not retired.published(last)
    assert state_of(retired, [new, retired], last) == "expired"
    assert spent([new, retired], last - timedelta(seconds=1)) == []
    assert spent([new, retired], last) == [retired]


@pytest.mark.parametrize("retired_at", [None, NOW])
def test_a_revoked_key_is_good_for_nothing(retired_at: datetime | None) -> None:
    revoked = key("bad", private_key_pem="", revoked_at=NOW, revoke_reason="stolen", retired_at=retired_at)
    assert not revoked.published(NOW)
    assert signing_key([revoked], NOW) is None
    assert rotation_due([revoked], NOW, PERIOD)
    assert state_of(revoked, [revoked], NOW) == "revoked"


def test_an_upcoming_key_signs_early_when_it_is_the_only_one() -> None:
    upcoming = key("next", activates=PUBLISHED_AHEAD)
    assert signing_key([upcoming], NOW) == upcoming
    assert state_of(upcoming, [upcoming], NOW) == "signing"


@given(st.lists(st.tuples(st.integers(-100, 100), st.booleans(), st.booleans()), max_size=8))
def test_there_is_a_key_that_signs_whenever_one_can(made: list[tuple[int, bool, bool]]) -> None:
    """And whatever signs is published, so that whoever verifies can have it."""
    keys = [
        key(
            str(number),
            activates=timedelta(hours=hours),
            retired_at=NOW if retired else None,
            revoked_at=NOW if revoked else None,
            revoke_reason="x" if revoked else None,
            private_key_pem="" if revoked else "pem",
        )
        for number, (hours, retired, revoked) in enumerate(made)
    ]
    found = signing_key(keys, NOW)
    assert (found is None) == (not any(one.can_sign for one in keys))
    assert found is None or found.published(NOW)
    assert found not in superseded(keys, NOW)
