"""What the edge makes of answers: smaller, known already, with where the client stands."""

import gzip
import json

import pytest

from shared.http import protocol
from shared.ids import new_id
from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import bearer

GZIP = {"Accept-Encoding": "gzip"}


async def test_text_gets_smaller_for_who_can_read_it(gateway: Gateway, as_user: dict[str, str]) -> None:
    plain = await gateway.http.get("/v1/wallets?do=text", headers={**as_user, "Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "accept-encoding"
    small = await gateway.http.get("/v1/wallets?do=text", headers={**as_user, **GZIP})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 4
    assert small.json() == plain.json()
    for refusal in ("gzip;q=0", "br", "gzip;q=0.0, identity"):
        answer = await gateway.http.get("/v1/wallets?do=text", headers={**as_user, "Accept-Encoding": refusal})
        assert "content-encoding" not in answer.headers


async def test_what_must_not_be_compressed_is_not(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    """Tokens: their length would tell what is in them (BREACH). Event streams would wait. The rest is compressed already."""
    answer = await gateway.http.post("/v1/auth/refresh?do=text", headers=GZIP)
    assert "content-encoding" not in answer.headers
    upstream.go_on.set()
    answer = await gateway.http.get("/v1/stream?do=sse", headers={**as_user, **GZIP})
    assert "content-encoding" not in answer.headers
    answer = await gateway.http.get("/v1/wallets?do=packed", headers={**as_user, **GZIP})
    assert answer.headers.get_list("content-encoding") == ["gzip"]
    assert answer.text == "packed already " * 500


async def test_keys_are_not_sent_again_to_who_has_them(gateway: Gateway, upstream: EchoUpstream) -> None:
    first = await gateway.http.get("/.well-known/jwks.json")
    assert first.status_code == 200
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60"
    for known in (tag, f'W/{tag}, "other"', "*"):
        again = await gateway.http.get("/.well-known/jwks.json", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await gateway.http.get("/.well-known/jwks.json", headers={"If-None-Match": '"other"'})).status_code == 200
    head = await gateway.http.head("/.well-known/jwks.json")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/wallets", 401),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/wallets", 405),
        ("OPTIONS", "/v1/wallets", 204),
        ("GET", "/v1/wallets/a%2Fb", 400),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v1/payment-providers", 200),
        ("GET", "/v1/payment-providers?q=%00", 422),
        ("POST", "/v1/loans/quote", 200),
    ],
)
async def test_every_answer_says_where_the_client_stands(gateway: Gateway, method: str, path: str, status: int) -> None:
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await raw_exchange(gateway.running.port, request.encode())
    head = answer.split(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 %d" % status), head
    assert head.count(b"\r\nratelimit: ") == head.count(b"\r\nratelimit-policy: ") == 1


async def test_what_the_server_itself_refuses_says_so_too(
    start_gateway: StartGateway, upstream: EchoUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no request has never met the gateway's own code."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    refused = {
        b"400 ": b"HELLO\r\n\r\n",
        b"431 ": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"408 ": b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"429 ": b"HELLO AGAIN\r\n\r\n",
    }
    async with start_gateway(gateway_limits="page=3/3600") as gateway:
        for left, (status, request) in zip((2, 1, 0, 0), refused.items(), strict=True):
            head, _, body = (await raw_exchange(gateway.running.port, request)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 " + status), head
            assert head.count(b"\r\nratelimit-policy: ") == 1
            assert b'\r\nratelimit: "page";r=%d;t=' % left in head
            assert (status == b"429 ") == (b"\r\nretry-after: " in head)
            assert json.loads(body)["status"] == int(status)
    assert upstream.seen == []


async def test_a_failure_of_our_own_says_so_too(gateway: Gateway, as_user: dict[str, str]) -> None:
    gateway.edge.requests = None
    answer = await gateway.http.get("/v1/wallets", headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["ratelimit"].startswith('"read";r=')


async def test_visitors_are_limited_too(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    async with start_gateway(gateway_limits="page=3/60") as gateway:
        statuses = [
            (await gateway.http.get(path)).status_code for path in ("/nothing", "/docs", "/v1/nothing", "/nothing", "/docs")
        ]
        assert statuses == [404, 200, 404, 429, 429]
        assert (await gateway.http.get("/healthz")).status_code == 200
    assert upstream.seen == []


async def test_an_api_client_has_a_limit_of_its_own(gateway: Gateway) -> None:
    owner, client = new_id(), str(new_id())
    claims = {"roles": ("partner",), "scope": "wallets:read loans:read", "client_id": client}
    partner = {**claims, "requests_per_minute": 2}
    headers = bearer(owner, **partner)
    first = await gateway.http.get("/v1/wallets", headers=headers)
    assert first.headers["ratelimit-policy"].endswith('"client";q=2;w=60')
    assert (await gateway.http.get("/v1/loans", headers=headers)).status_code == 200
    refused = await gateway.http.get("/v1/wallets", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert (await gateway.http.get("/v1/wallets", headers=bearer(owner))).status_code == 200


async def test_a_get_is_tried_again_and_a_post_is_not(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    assert (await gateway.http.get("/v1/wallets?do=reset_once", headers=as_user)).status_code == 200
    assert [seen.method for seen in upstream.seen] == ["GET", "GET"]
    upstream.resets_left = 1
    assert (await gateway.http.post("/v1/wallets?do=reset_once", json={}, headers=as_user)).status_code == 502
    assert [seen.method for seen in upstream.seen] == ["GET", "GET", "POST"]


async def test_retries_are_paid_from_a_budget(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    async with start_gateway(gateway_breaker_failures=1000) as gateway:
        for _ in range(20):
            assert (await gateway.http.get("/v1/wallets?do=reset", headers=as_user)).status_code == 502
    assert len(upstream.seen) == 30, "ten second tries for twenty requests, then no more"


async def test_a_post_that_moves_money_needs_its_key_at_the_edge(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    answer = await gateway.http.post("/v1/transfers", json={}, headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    answer = await gateway.http.post("/v1/transfers", json={}, headers={**as_user, "Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert upstream.seen == []


def test_gzip_is_what_others_call_gzip() -> None:
    from gateway.compression import compressed

    answer = [(b"content-type", b"application/json"), (b"content-length", b"4"), (b"etag", b'"a"')]
    assert gzip.decompress(compressed([(b"accept-encoding", b"br, gzip;q=0.8")], answer, b"1234")) == b"1234"
    assert (b"etag", b'W/"a"') in answer
