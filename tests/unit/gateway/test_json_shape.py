"""Counting what JSON holds, however it arrives."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.json_shape import MAX_DEPTH, MAX_ITEMS, MAX_MEMBERS, JsonShape, JsonTooComplex, is_json

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\[]{}:,\n')),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('a"\\{:'), max_size=3), inner, max_size=4)
    ),
    max_leaves=30,
)


def _feed(body: bytes, size: int = 1 << 20) -> JsonShape:
    shape = JsonShape()
    for start in range(0, len(body), size):
        shape.feed(body[start : start + size])
    return shape


def _members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_members(inner) for inner in value.values())
    return sum(_members(inner) for inner in value) if isinstance(value, list) else 0


@given(_JSON, st.integers(1, 7))
def test_strings_do_not_count_wherever_pieces_are_cut(value: Any, size: int) -> None:
    shape = _feed(json.dumps(value, separators=(",", ":")).encode(), size)
    assert shape._members == _members(value)
    assert shape._depth == 0


@pytest.mark.parametrize("size", [1, 3, 1000, 1 << 20])
def test_what_is_too_much(size: int) -> None:
    _feed(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, size)
    for body in (
        b"[" * (MAX_DEPTH + 1),
        b"{" + b'"a":1,' * (MAX_MEMBERS + 1),
        b"[" + b"1," * (MAX_ITEMS + 1),
        b"[]" * (MAX_ITEMS + 1),
    ):
        with pytest.raises(JsonTooComplex):
            _feed(body, size)


def test_what_says_that_it_is_json() -> None:
    for content_type in (
        b"application/json",
        b"application/json; charset=utf-8",
        b"application/merge-patch+json",
        b"Application/JSON",
    ):
        assert is_json(content_type)
    for content_type in (b"", b"multipart/form-data; boundary=json", b"application/x-www-form-urlencoded", b"image/png"):
        assert not is_json(content_type)
