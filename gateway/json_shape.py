"""JSON that is deep or wide is refused before a service reads it: parsing it would cost far more than sending it. Pure."""

import re

from shared.problems import Problem

MAX_DEPTH = 32
MAX_MEMBERS = 1000
"""`name: value` pairs of all objects together."""
MAX_ITEMS = 10_000

_BRACKETS = b"[]{}"
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_JSON = re.compile(rb"[^;]*\bjson\b", re.IGNORECASE)


class JsonTooComplex(Problem):
    """The body nests too deep, or has more fields than any call takes."""

    status = 400
    code = "json_too_complex"
    title = "The JSON in the request is too deep or has too many fields"


def is_json(content_type: bytes) -> bool:
    """Whether a service could take the body for JSON. None does when the client does not say that it is."""
    return _JSON.match(content_type) is not None


class JsonShape:
    """Counts brackets, members and items of a body as it comes, outside strings; it need not be valid JSON."""

    def __init__(self) -> None:
        self._in_string = 0
        self._escaping = b""
        self._depth = self._members = self._items = self._brackets = 0

    def feed(self, piece: bytes) -> None:
        """More of the body. Raises `JsonTooComplex`."""
        data = self._escaping + piece
        self._escaping = b""
        if (len(data) - len(data.rstrip(b"\\"))) % 2:
            data, self._escaping = data[:-1], b"\\"
        # Backslashes are in strings only. Without the escaped ones, and escaped quotes, every quote begins or ends a string.
        parts = data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b"".join(parts[self._in_string :: 2])
        self._in_string = (self._in_string + len(parts) - 1) % 2
        self._members += outside.count(b":")
        self._items += outside.count(b",")
        brackets = outside.translate(None, _NOT_BRACKETS)
        self._brackets += len(brackets)
        if self._members > MAX_MEMBERS or self._items > MAX_ITEMS or self._brackets > 2 * MAX_ITEMS:
            raise JsonTooComplex(f"Send at most {MAX_MEMBERS} fields and {MAX_ITEMS} items.")
        if self._depth + len(brackets) <= MAX_DEPTH:
            opened = brackets.count(b"[") + brackets.count(b"{")
            self._depth = max(0, self._depth + 2 * opened - len(brackets))
            return
        for bracket in brackets:
            self._depth = self._depth + 1 if bracket in b"[{" else max(0, self._depth - 1)
            if self._depth > MAX_DEPTH:
                raise JsonTooComplex(f"Nest objects and arrays at most {MAX_DEPTH} deep.")
