"""Requests that are larger, deeper or more than any call needs: refused at the edge, quickly and cheaply."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.json_shape import MAX_DEPTH, MAX_MEMBERS
from shared.http.protocol import HEAD_BYTES_MAX
from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream

JSON = {"Content-Type": "application/json"}


async def test_a_body_that_says_it_is_too_large(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.post("/v1/wallets", content=b"x" * (1 << 20), headers=as_user)
    assert answer.status_code == 200
    head = [
        "POST /v1/wallets HTTP/1.1",
        "Host: x",
        "Content-Length: 1048577",
        f"Authorization: {as_user['Authorization']}",
        "",
        "",
    ]
    refused = await raw_exchange(gateway.running.port, "\r\n".join(head).encode(), until_end=False)
    assert refused.startswith(b"HTTP/1.1 413")
    assert len(upstream.seen) == 1


async def test_a_body_that_turns_out_too_large(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 32768

    answer = await gateway.http.post("/v1/wallets", content=pieces(), headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    await asyncio.wait_for(upstream.cancelled.wait(), 60)
    assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200


@pytest.mark.parametrize("brackets", ["[", '{"a":', '[{"a":'])
async def test_deep_json(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], brackets: str) -> None:
    closing = {"[": "]", "{": "}"}
    for depth in (MAX_DEPTH + 1, 100_000):
        opened = brackets * depth
        body = opened + "1" + "".join(closing[letter] for letter in reversed(opened) if letter in closing)
        answer = await gateway.http.post("/v1/wallets", content=body[: 1 << 20], headers={**as_user, **JSON})
        assert (answer.status_code, answer.json()["code"]) == (400, "json_too_complex")
    assert [seen for seen in upstream.seen if seen.body.count(b"[") > MAX_DEPTH] == []


async def test_deep_json_is_refused_before_it_ends(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    """The rest never comes, and nobody waits for it: what is refused at its first brackets costs no more than those."""
    head = [
        "POST /v1/wallets HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        "Content-Length: 60000",
        f"Authorization: {as_user['Authorization']}",
        "",
        "[" * (MAX_DEPTH + 1),
    ]
    refused = await raw_exchange(gateway.running.port, "\r\n".join(head).encode(), until_end=False)
    assert refused.startswith(b"HTTP/1.1 400")
    assert upstream.seen == []


async def test_thousands_of_fields(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    body = json.dumps({f"field_{number}": number for number in range(MAX_MEMBERS + 1)})
    answer = await gateway.http.post("/v1/wallets", content=body, headers={**as_user, **JSON})
    assert (answer.status_code, answer.json()["code"]) == (400, "json_too_complex")
    assert upstream.seen == []
    # Colons, commas and brackets in text are text.
    harmless = json.dumps({"text": '":,[{' * 5000 + '\\"'})
    assert (await gateway.http.post("/v1/wallets", content=harmless, headers={**as_user, **JSON})).status_code == 200


async def test_thousands_of_form_fields(gateway: Gateway, upstream: EchoUpstream) -> None:
    """Forms go to the token endpoint alone, and the edge bounds their size; the service bounds their fields."""
    form = "&".join(f"a{number}=1" for number in range(200_000))
    answer = await gateway.http.post(
        "/v1/auth/token", content=form, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert upstream.seen == []


async def test_more_form_fields_than_anybody_needs_in_a_small_body(client: httpx.AsyncClient) -> None:
    """What the edge lets through by its size is refused where it is read."""
    form = "&".join(["grant_type=client_credentials", *(f"a{number}=1" for number in range(1_500))])
    answer = await client.post("/v1/auth/token", content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert "1,000 fields" in answer.json()["detail"]


@pytest.mark.parametrize("lines", [["X-Large: " + "x" * HEAD_BYTES_MAX], [f"X-{number}: 1" for number in range(101)]])
async def test_headers_without_end(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], lines: list[str]) -> None:
    head = ["GET /v1/wallets HTTP/1.1", "Host: x", f"Authorization: {as_user['Authorization']}", *lines, "", ""]
    answer = await raw_exchange(gateway.running.port, "\r\n".join(head).encode())
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'"headers_too_large"' in answer
    assert upstream.seen == []


async def test_a_header_without_end(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    writer.write(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(HEAD_BYTES_MAX // 1024 + 2):
        writer.write(b"x" * 1024)
    answer = await asyncio.wait_for(reader.read(), 60)
    assert answer.startswith(b"HTTP/1.1 431")
    writer.close()


async def test_more_requests_than_can_be_answered(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    async with start_gateway(gateway_max_in_flight=3) as gateway:
        waiting = [asyncio.create_task(gateway.http.get("/v1/wallets?do=stall", headers=as_user)) for _ in range(3)]
        await upstream.until_seen(3)
        refused = await gateway.http.get("/v1/wallets", headers=as_user)
        assert not any(task.done() for task in waiting), "it did not wait for its turn"
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert "ratelimit" in refused.headers
        assert (await gateway.http.get("/healthz")).status_code == 200
        upstream.go_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
        assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200
        assert gateway.edge.in_flight == 0
