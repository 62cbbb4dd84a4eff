"""What passes through the gateway, in both directions, whole and unchanged."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from shared.ids import new_id
from tests.service.gateway.conftest import Gateway, Running, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import bearer


async def test_a_request_reaches_the_service_as_it_was_sent(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    answer = await gateway.http.post(
        "/v1/transfers?a=%2Fb&c=%20d", content=b'{"amount": 5}', headers={**as_user, "Idempotency-Key": "k-1", "Prefer": "wait=5"}
    )
    assert answer.status_code == 200
    assert answer.json() == {"method": "POST", "path": "/v1/transfers", "length": 13}
    [seen] = upstream.seen
    assert (seen.query, seen.body) == ("a=%2Fb&c=%20d", b'{"amount": 5}')
    assert seen.header("idempotency-key") == ["k-1"]
    assert seen.header("prefer") == ["wait=5"]
    assert seen.header("authorization") == [as_user["Authorization"]]
    assert seen.header("content-length") == ["13"]
    assert seen.header("transfer-encoding") == []


async def test_a_post_without_a_body_has_none(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.post(f"/v1/loans/{new_id()}/cancel", headers=as_user)
    assert answer.json()["length"] == 0
    assert upstream.seen[0].header("content-length") == ["0"]


async def test_ids_and_trace_pass_on(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await gateway.http.get(
        "/v1/wallets", headers={**as_user, "X-Request-Id": "mine-1", "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    )
    [seen] = upstream.seen
    assert seen.header("x-request-id") == ["mine-1"]
    assert [value.split("-")[1] for value in seen.header("traceparent")] == [trace_id]
    assert answer.headers.get_list("x-request-id") == ["mine-1"]


async def test_a_malformed_request_id_is_replaced(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.get("/v1/wallets", headers={**as_user, "X-Request-Id": "no spaces <allowed>"})
    [given] = upstream.seen[0].header("x-request-id")
    assert answer.headers["x-request-id"] == given != "no spaces <allowed>"


async def test_what_a_service_lets_slip_stops_here(gateway: Gateway, as_user: dict[str, str]) -> None:
    answer = await gateway.http.get("/v1/wallets", headers=as_user)
    assert answer.headers["idempotent-replayed"] == "true"
    assert answer.headers["x-request-id"] != "forged"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    for name in ("x-powered-by", "server", "set-cookie", "access-control-allow-origin"):
        assert name not in answer.headers


async def test_cookies_are_for_the_auth_service_alone(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    cookie = {"Cookie": "refresh=secret"}
    answer = await gateway.http.post("/v1/auth/refresh", headers=cookie)
    assert upstream.seen[-1].header("cookie") == ["refresh=secret"]
    assert answer.headers["set-cookie"] == "session=1"
    gateway.http.cookies.clear()
    answer = await gateway.http.get("/v1/wallets", headers={**as_user, **cookie})
    assert upstream.seen[-1].header("cookie") == []
    assert "set-cookie" not in answer.headers


async def test_signatures_pass_to_webhooks_and_nowhere_else(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    signatures = {
        "Sandbox-Signature": "t=1,v1=ab", "Stripe-Signature": "t=1", "X-Paystack-Signature": "ab", "Verif-Hash": "cd",
        "X-Hub-Signature-256": "sha256=ef", "webhook-id": "msg_1", "webhook-timestamp": "1",
    }  # fmt: skip
    body = b'{"a":  1}\n'
    await gateway.http.post("/v1/webhooks/sandbox", content=body, headers={**signatures, "X-User-Id": "forged"})
    [seen] = upstream.seen
    assert seen.body == body
    assert {name: seen.header(name.lower()) for name in signatures} == {name: [value] for name, value in signatures.items()}
    assert seen.header("x-user-id") == []
    await gateway.http.get("/v1/wallets", headers={**as_user, **signatures})
    assert upstream.seen[-1].header("stripe-signature") == []


async def test_large_bodies_stream_both_ways(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    body = bytes(range(256)) * 40_000
    answer = await gateway.http.post("/v1/kyc", content=body, headers=as_user)
    assert answer.json()["length"] == len(body)
    assert hashlib.sha256(upstream.seen[0].body).digest() == hashlib.sha256(body).digest()
    assert upstream.seen[0].header("content-length") == [str(len(body))]
    answer = await gateway.http.get("/v1/wallets?do=large", headers=as_user)
    assert answer.content == b"".join(bytes([number]) * 65536 for number in range(64))


async def test_an_upload_reaches_the_service_before_it_ends(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.wait_for(upstream.first_piece.wait(), 30)
        yield b"second"

    answer = await gateway.http.post("/v1/kyc", content=pieces(), headers=as_user)
    assert answer.json()["length"] == 11
    assert upstream.seen[0].header("transfer-encoding") == ["chunked"]


async def test_events_arrive_as_they_happen(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    async with gateway.http.stream("GET", "/v1/stream?do=sse", headers={**as_user, "Last-Event-ID": "7"}) as answer:
        pieces = answer.aiter_bytes()
        assert await asyncio.wait_for(anext(pieces), 30) == b"data: first\n\n"
        assert upstream.seen[0].header("last-event-id") == ["7"]
        upstream.go_on.set()
        assert await asyncio.wait_for(anext(pieces), 30) == b"data: last\n\n"
    assert not upstream.cancelled.is_set()


@pytest.mark.parametrize("action", ["sse", "stall"])
async def test_a_client_that_leaves_ends_the_work(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], action: str
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    lines = [f"GET /v1/stream?do={action} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in as_user.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    await upstream.until_seen(1)
    await asyncio.sleep(0.1)
    assert not upstream.cancelled.is_set()
    writer.close()
    await asyncio.wait_for(upstream.cancelled.wait(), 30)


async def test_a_client_that_leaves_in_the_middle_of_an_upload(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    head = ["POST /v1/kyc HTTP/1.1", "Host: x", "Content-Length: 1000000", f"Authorization: {as_user['Authorization']}", "", ""]
    writer.write("\r\n".join(head).encode() + b"x" * 100_000)
    await asyncio.wait_for(upstream.first_piece.wait(), 30)
    writer.close()
    await asyncio.wait_for(upstream.cancelled.wait(), 30)
    assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200


async def test_head_is_get_without_the_body(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    got = await gateway.http.get("/v1/wallets", headers=as_user)
    answer = await gateway.http.head("/v1/wallets", headers=as_user)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == got.headers["content-length"]
    assert answer.content == b""
    assert [seen.method for seen in upstream.seen] == ["GET", "GET"]


async def test_escaped_paths_are_forwarded_exactly(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await raw_exchange(
        gateway.running.port,
        b"GET /v1/%77allets/a%20b%C3%A9?x=%2e%2e/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
        + as_user["Authorization"].encode()
        + b"\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200")
    assert (upstream.seen[0].raw_path, upstream.seen[0].query) == ("/v1/%77allets/a%20b%C3%A9", "x=%2e%2e/")


async def test_the_sandbox_and_the_mailbox_are_public_pages(gateway: Gateway, upstream: EchoUpstream) -> None:
    for method, path in [
        ("GET", "/sandbox/checkout/1"),
        ("POST", "/sandbox/checkout/1"),
        ("GET", "/mailbox"),
        ("GET", "/mailbox/"),
    ]:
        assert (await gateway.http.request(method, path)).status_code == 200
    assert [seen.raw_path for seen in upstream.seen] == ["/sandbox/checkout/1", "/sandbox/checkout/1", "/mailbox", "/mailbox/"]


async def test_production_has_neither(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    async with start_gateway(env="production", public_url="https://lendery.test") as gateway:
        for path in ("/sandbox/checkout/1", "/mailbox"):
            assert (await gateway.http.get(path)).status_code == 404
        answer = await gateway.http.get("/v1/payment-providers")
        assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert [seen.raw_path for seen in upstream.seen] == ["/v1/payment-providers"]


async def test_an_early_refusal_of_a_large_upload_arrives(gateway: Gateway, as_user: dict[str, str]) -> None:
    answer = await gateway.http.post("/v1/kyc?do=refuse", content=b"x" * 2_000_000, headers=as_user)
    assert answer.status_code == 409
    assert answer.json() == {"code": "closed"}


async def test_connections_to_a_service_are_used_again(
    gateway: Gateway, upstream_server: Running, as_user: dict[str, str]
) -> None:
    for _ in range(20):
        assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200
    assert len(upstream_server.server.server_state.connections) == 1


async def test_each_user_is_who_the_token_says(gateway: Gateway, upstream: EchoUpstream) -> None:
    first, second = bearer(new_id()), bearer(new_id())
    for headers in (first, second, first):
        await gateway.http.get("/v1/wallets", headers=headers)
    assert [seen.header("authorization")[0] for seen in upstream.seen] == [
        headers["Authorization"] for headers in (first, second, first)
    ]


async def test_a_connection_on_which_an_upload_was_cut_short_is_not_used_again(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    """The service answers while the client still sends: whatever comes after it would be read as the next request."""
    pool = gateway.edge.upstreams.by_name["auth"].pool
    for number in range(3):
        answer = await gateway.http.post("/v1/kyc?do=refuse", content=b"x" * 2_000_000, headers=as_user)
        assert answer.status_code == 409
        assert pool._idle == []
        assert (await gateway.http.get("/v1/me", headers=as_user)).json()["path"] == "/v1/me"
        for connection in pool._idle:
            connection.abort()
        pool._idle.clear()
        assert [seen.raw_path for seen in upstream.seen] == ["/v1/kyc", "/v1/me"] * (number + 1)
