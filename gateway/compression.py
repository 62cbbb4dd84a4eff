"""Smaller answers for clients that understand gzip. Pure.

What comes out of compression tells by its length what is in it. An attacker who can have something of their own put beside a
secret, and sees lengths, guesses the secret letter by letter (BREACH). So whatever carries tokens or cookies (every address
below /v1/auth) is never compressed, and neither is an answer that says `no-transform`. Event streams would wait in the
compressor, and pictures and archives would only grow.
"""

import re
import zlib
from collections.abc import Sequence

WORTH_BYTES = 1400
"""What fits into one packet does not get quicker by being smaller."""
_LEVEL = 4
_GZIP = 31
_TEXT = re.compile(
    rb"(?:application/(?:json|[a-z.+-]+\+json|javascript|xml)|text/(?!event-stream)[a-z.+-]+|image/svg\+xml)(?:;|$)"
)
_ACCEPTED = re.compile(rb"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q\s*=\s*(?:1(?:\.0+)?|0\.0*[1-9][0-9]*)\s*)?(?:,|$)")


def compressed(request: Sequence[tuple[bytes, bytes]], answer: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The body as it is sent; changes the answer's headers to fit."""
    if not _fit(answer):
        return body
    answer.append((b"vary", b"accept-encoding"))
    if not accepts(request):
        return body
    packed = gzipped(body)
    kept = [_weaker(pair) for pair in answer if pair[0] != b"content-length"]
    answer[:] = [*kept, (b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed))]
    return packed


def accepts(request: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the client understands gzip."""
    return any(name == b"accept-encoding" and _ACCEPTED.search(value) for name, value in request)


def gzipped(body: bytes) -> bytes:
    """The body, packed."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


def _fit(answer: Sequence[tuple[bytes, bytes]]) -> bool:
    text = False
    for name, value in answer:
        if name in (b"content-encoding", b"set-cookie") or (name == b"cache-control" and b"no-transform" in value):
            return False
        if name == b"content-type":
            text = _TEXT.match(value) is not None
    return text


def _weaker(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The same thing in other bytes has a weak tag."""
    name, value = pair
    return (name, b"W/" + value) if name == b"etag" and not value.startswith(b"W/") else pair
