"""Addresses in their plain form, so that what is matched is what the service will read. Pure."""

import re
from urllib.parse import unquote_to_bytes

from gateway.problems import AddressTooLong, PathInvalid

_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~!$&'()*+,=:@-/"
_ESCAPED = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(rb"[\x21\x23-\x3b\x3d\x3f-\x7e]*")


def readable_path(raw_path: bytes, query: bytes, *, max_bytes: int) -> str:
    """The decoded path, as every reader after us decodes it.

    Raises `PathInvalid` for whatever could be read in two ways: empty, `.` and `..` segments, encoded slashes and
    backslashes, control characters, broken escapes, bytes outside ASCII. Raises `AddressTooLong`.
    """
    if len(raw_path) + len(query) > max_bytes:
        raise AddressTooLong(f"Keep path and query within {max_bytes} bytes together.")
    if query and not _QUERY.fullmatch(query):
        raise PathInvalid("Escape spaces, quotes, angle brackets and letters outside ASCII in the query.")
    if raw_path[:1] == b"/" and not raw_path.translate(None, _PLAIN) and b"//" not in raw_path and b"/." not in raw_path:
        return raw_path.decode("ascii")  # as most are
    if not _ESCAPED.fullmatch(raw_path):
        raise PathInvalid("Escape every character of the path that is not a letter, a digit or plain punctuation.")
    return _decoded(raw_path)


def _decoded(raw_path: bytes) -> str:
    segments = raw_path.split(b"/")[1:]
    if any(segment == b"" for segment in segments[:-1]):
        raise PathInvalid("Remove the empty part between two slashes.")
    decoded = [unquote_to_bytes(segment) for segment in segments]
    for segment in decoded:
        if segment in (b".", b".."):
            raise PathInvalid("Write the path without . and .. parts.")
        if b"/" in segment or b"\\" in segment or any(byte < 0x20 or byte == 0x7F for byte in segment):
            raise PathInvalid("Slashes, backslashes and control characters cannot be part of a name, escaped or not.")
    try:
        return "/" + b"/".join(decoded).decode("utf-8")
    except UnicodeDecodeError:
        raise PathInvalid("Escaped letters must be UTF-8.") from None
