"""Idempotency keys and fingerprints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.idempotency.keys import KeyInvalid, KeyMissing, checked_key, fingerprint


def test_a_missing_key_says_so() -> None:
    with pytest.raises(KeyMissing) as caught:
        checked_key(None)
    assert (caught.value.status, caught.value.code) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "ä", "a\n", "\x7f"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(KeyInvalid):
        checked_key(key)


@given(st.text(alphabet=[chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=255))
def test_visible_ascii_is_a_key(key: str) -> None:
    assert checked_key(key) == key


def test_fingerprints_are_of_the_value_not_of_its_spelling() -> None:
    first = fingerprint("POST", "/v1/transfers", b'{"a": 1, "b": [1, 2]}')
    assert first == fingerprint("POST", "/v1/transfers", b'{"b":[1,2],"a":1}')
    assert first != fingerprint("POST", "/v1/transfers", b'{"b":[2,1],"a":1}')
    assert first != fingerprint("POST", "/v1/deposits", b'{"a": 1, "b": [1, 2]}')
    assert first != fingerprint("PATCH", "/v1/transfers", b'{"a": 1, "b": [1, 2]}')
