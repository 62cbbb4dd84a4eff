"""Addresses in their plain form."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.paths import readable_path
from gateway.problems import AddressTooLong, PathInvalid

SEGMENT = st.text(min_size=1, max_size=20).filter(
    lambda text: text not in (".", "..") and not any(letter in "/\\" or ord(letter) < 32 or ord(letter) == 127 for letter in text)
)


@given(st.lists(SEGMENT, min_size=1, max_size=6))
def test_what_passes_is_read_as_every_service_reads_it(segments: list[str]) -> None:
    encodable = all(not 0xD800 <= ord(letter) <= 0xDFFF for segment in segments for letter in segment)
    if not encodable:
        return
    raw = "".join("/" + quote(segment, safe="") for segment in segments)
    assert readable_path(raw.encode(), b"", max_bytes=10_000) == unquote(raw) == "/" + "/".join(segments)


@given(st.binary(max_size=60))
def test_bytes_are_read_plainly_or_refused(raw: bytes) -> None:
    try:
        path = readable_path(b"/" + raw, b"", max_bytes=1000)
    except PathInvalid:
        return
    parts = path[1:].split("/")
    assert len(parts) == (b"/" + raw).count(b"/")
    assert all(part not in ("", ".", "..") for part in parts[:-1])
    assert parts[-1] not in (".", "..")


@pytest.mark.parametrize("raw", [b"/", b"/v1/wallets", b"/mailbox/", b"/a.b/..c/d...e", b"/v1/webhooks/m-pesa_1~x"])
def test_plain_paths_stay(raw: bytes) -> None:
    assert readable_path(raw, b"a=1&b=%20", max_bytes=100) == raw.decode()


@pytest.mark.parametrize(
    "raw",
    [b"", b"v1", b"*", b"//", b"/a//b", b"/.", b"/..", b"/a/./b", b"/a/../b", b"/%2e", b"/%2E%2e/a", b"/a%2fb", b"/a%5Cb",
     b"/a\\b", b"/%00", b"/%7f", b"/%1", b"/%zz", b"/%ff", b"/a b", b"/a;b\n", b"/\xc3\xa9", b"/a?b", b"/a#b"],
)  # fmt: skip
def test_ambiguous_paths_are_refused(raw: bytes) -> None:
    with pytest.raises(PathInvalid):
        readable_path(raw, b"", max_bytes=100)


@pytest.mark.parametrize("query", [b"a b", b"a\xff", b'a"b', b"<script>", b"a\x00"])
def test_ambiguous_queries_are_refused(query: bytes) -> None:
    with pytest.raises(PathInvalid):
        readable_path(b"/a", query, max_bytes=100)


def test_length() -> None:
    assert readable_path(b"/" + b"a" * 9, b"b" * 10, max_bytes=20)
    with pytest.raises(AddressTooLong):
        readable_path(b"/" + b"a" * 9, b"b" * 11, max_bytes=20)
