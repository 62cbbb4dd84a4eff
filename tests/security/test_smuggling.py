"""Requests that two readers could see two different requests in, sent as bytes to the running gateway."""

import re

import pytest

from tests.service.gateway.conftest import Gateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream

AMBIGUOUS = r"""
/v1/wallets/../admin/users
/v1/wallets/%2e%2e/admin/users
/v1/wallets/%2E./admin/users
/v1//wallets
//v1/wallets
/v1/wallets/a%2Fb
/v1/wallets/a%5cb
/v1/wallets/a\b
/v1/wallets/%00
/v1/wallets/%zz
/v1/wallets/%
/v1/wallets/./x
/v1/wallets/%0d%0aX-User-Id:1
/v1/wallets/%c3%28
/v1/wallets/.
/v1/wallets?q=%00
/sandbox/../v1/wallets
/sandbox/checkout/..%2f..%2fv1
"""


async def test_addresses_that_can_be_read_in_two_ways(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    for target in AMBIGUOUS.split():
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {as_user['Authorization']}\r\n\r\n"
        answer = await raw_exchange(gateway.running.port, request.encode())
        assert answer.split()[1] in (b"400", b"422"), target
    assert upstream.seen == []


FRAMED_OR_NAMED_TWICE = [
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5", "Content-Length: 5"],
    ["Content-Length: +5"],
    ["Content-Length: 5", "Transfer-Encoding : chunked"],
    ["Transfer-Encoding: chunked, identity"],
    ["Idempotency-Key: a", "Idempotency-Key: b"],
    ["Authorization: Bearer x", "Content-Length: 5"],
    ["Content-Length: 5", "Connection: close, authorization"],
    ["Content-Length: 5", "X-Broken: a\r\n folded"],
]


async def test_requests_framed_or_named_twice(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    for lines in FRAMED_OR_NAMED_TWICE:
        head = [
            "POST /v1/wallets HTTP/1.1",
            "Host: x",
            f"Authorization: {as_user['Authorization']}",
            *lines,
            "Connection: close",
        ]
        answer = await raw_exchange(gateway.running.port, "\r\n".join([*head, "", "hello"]).encode())
        assert answer.startswith(b"HTTP/1.1 400"), lines
    assert upstream.seen == []


ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) ")
SMUGGLED = b"GET /v1/admin/users HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED_BADLY = {
    "a size that is none": b"zz\r\nhello\r\n0\r\n\r\n",
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size written as 0x5": b"0x5\r\nhello\r\n0\r\n\r\n",
    "more data than the size says": b"3\r\nhello\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"1" + b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n",
    "line feeds alone": b"5\nhello\n0\n\n",
    "a line feed inside an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "spaces before the size": b"  5\r\nhello\r\n0\r\n\r\n",
}
FRAMED_BADLY = {
    "CL.TE": ["Content-Length: 6", "Transfer-Encoding: chunked"],
    "TE.CL": ["Transfer-Encoding: chunked", "Content-Length: 4"],
    "TE.TE, the second unknown": ["Transfer-Encoding: chunked", "Transfer-Encoding: cow"],
    "TE.TE, the first unknown": ["Transfer-Encoding: cow, chunked", "Content-Length: 4"],
    "TE in another spelling": ["Transfer-Encoding: xchunked"],
    "TE with a vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "TE after a fold": ["Transfer-Encoding:\r\n chunked"],
    "CL twice, different": ["Content-Length: 6", "Content-Length: 5"],
    "CL as a list": ["Content-Length: 6, 5"],
    "CL negative": ["Content-Length: -6"],
    "CL in hexadecimal": ["Content-Length: 0x6"],
    "CL beyond 64 bits": ["Content-Length: 99999999999999999999"],
    "CL with a space before the colon": ["Content-Length : 6"],
    "a header without a colon": ["Content-Length 6"],
    "a header without a name": [": 6"],
    "a carriage return inside a value": ["X: a\rContent-Length: 6"],
    "a NUL inside a value": ["X: a\0b"],
    "a header name with a tab": ["Content-Length\t: 6"],
}
NONSENSE = (
    b"\x16\x03\x01\x02\x00",
    b"HELLO\r\n\r\n",
    b"GET / HTTP/3.7\r\n\r\n",
    b"GET /\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


def _post(lines: list[str], token: str, body: bytes) -> bytes:
    head = ["POST /v1/wallets HTTP/1.1", "Host: x", f"Authorization: {token}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


@pytest.mark.parametrize("attack", FRAMED_BADLY)
async def test_smuggling_by_framing(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], attack: str) -> None:
    request = _post(FRAMED_BADLY[attack], as_user["Authorization"], b"0\r\n\r\n" + SMUGGLED)
    answer = await raw_exchange(gateway.running.port, request)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert len(ANSWER.findall(answer)) == 1, "something after it was taken for a request"
    assert upstream.seen == []


@pytest.mark.parametrize("attack", CHUNKED_BADLY)
async def test_smuggling_by_chunks(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], attack: str) -> None:
    request = _post(["Transfer-Encoding: chunked"], as_user["Authorization"], CHUNKED_BADLY[attack] + SMUGGLED)
    answer = await raw_exchange(gateway.running.port, request)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert len(ANSWER.findall(answer)) == 1, "something after it was taken for a request"
    assert [seen.raw_path for seen in upstream.seen if seen.raw_path != "/v1/wallets"] == []
    assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 200, "the next client got somebody else's answer"


async def test_refusals_of_what_is_not_http_are_problems_too(gateway: Gateway) -> None:
    for nonsense in NONSENSE:
        answer = await raw_exchange(gateway.running.port, nonsense)
        assert answer.startswith(b"HTTP/1.1 400"), nonsense
        assert b"application/problem+json" in answer
        assert b"connection: close" in answer


async def test_requests_in_a_row_on_one_connection_stay_apart(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    """What comes after a whole request is a request of its own: it is checked like any other."""
    token = as_user["Authorization"]
    first = _post(["Content-Length: 5"], token, b"hello")
    answer = await raw_exchange(gateway.running.port, first + SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert ANSWER.findall(answer) == [b"200", b"401"]
    assert [seen.raw_path for seen in upstream.seen] == ["/v1/wallets"]
