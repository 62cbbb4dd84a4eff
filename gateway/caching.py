"""Answers that clients may keep: whether what they have is still right. Pure."""

import hashlib
from collections.abc import Sequence


def entity_tag(body: bytes) -> bytes:
    """The strong entity tag of a body."""
    return b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()


def apply(
    request: Sequence[tuple[bytes, bytes]], status: int, answer: list[tuple[bytes, bytes]], body: bytes
) -> tuple[int, bytes]:
    """Status and body of an answer that may be kept; adds its entity tag to its headers.

    304 without a body for a client that has it already. Anything but a 200 is left as it is.
    """
    if status != 200:
        return status, body
    tag = entity_tag(body)
    answer[:] = [pair for pair in answer if pair[0] != b"etag"]
    answer.append((b"etag", tag))
    if not is_known(request, tag):
        return status, body
    answer[:] = [pair for pair in answer if not pair[0].startswith(b"content-")]
    return 304, b""


def is_known(request: Sequence[tuple[bytes, bytes]], tag: bytes) -> bool:
    """Whether `If-None-Match` names `tag`, weakly compared as RFC 9110 asks."""
    for name, value in request:
        if name == b"if-none-match":
            for known in value.split(b","):
                if known.strip().removeprefix(b"W/") in (tag, b"*"):
                    return True
    return False
