"""Headers by which a client says who or where it is: none of them reaches a service, in any spelling."""

from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream

FORGED = (
    "X-User-Id X-User-Roles X_User_Id x-user-id X-Forwarded-User X-Auth-User Forwarded X-Real-IP X-Original-URL X-Rewrite-URL "
    "X-HTTP-Method-Override X-Forwarded-Prefix X_Forwarded_For Via TE Trailer Upgrade Proxy-Authorization Keep-Alive X-Internal "
    "Origin Referer X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port X-Client-IP True-Client-IP Cookie"
)


async def test_headers_that_nobody_named_stop_here(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    for spelling in FORGED.split():
        for name in (spelling, spelling.upper(), spelling.lower()):
            assert (await gateway.http.get("/v1/wallets", headers={**as_user, name: "forged"})).status_code == 200
            assert "forged" not in [value for _, value in upstream.seen[-1].headers], name


async def test_the_edge_says_itself_where_a_request_came_from(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "gopher", "Host": "evil.test"}
    await gateway.http.get("/v1/wallets", headers={**as_user, **forged})
    [seen] = upstream.seen
    assert seen.header("x-forwarded-for") == ["127.0.0.1"]
    assert seen.header("x-forwarded-host") == ["lendery.test:8000"]
    assert seen.header("x-forwarded-proto") == ["http"]
    assert "evil.test" not in str(seen.headers)


async def test_a_proxy_of_ours_is_believed(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    async with start_gateway(trusted_proxies="127.0.0.0/8,10.0.0.0/8") as gateway:
        for sent, believed in [
            ("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
            ("203.0.113.7", "203.0.113.7"),
            ("10.1.1.1", "10.1.1.1"),
            ("nonsense", "127.0.0.1"),
        ]:
            await gateway.http.get("/v1/payment-providers", headers={"X-Forwarded-For": sent})
            assert upstream.seen[-1].header("x-forwarded-for") == [believed]


async def test_spoofed_headers_in_odd_spellings(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    """As bytes: a client library would tidy them up. Twice the same, tabs, odd cases, underscores, nothing, spaces inside."""
    port, token = gateway.running.port, as_user["Authorization"]
    for lines in (
        ["x-UsEr-iD: forged", "X-USER-ID: forged"],
        ["X_USER_ID: forged", "X-User_Id: forged"],
        ["X-User-Id:\tforged", "X-User-Id:forged"],
        ["X-Forwarded-For: forged", "X-Forwarded-For: 127.0.0.1, forged", "X_FORWARDED_FOR: forged"],
        ["X-Forwarded-Host: forged", "X-Host: forged", "X-Forwarded-Server: forged", "Forwarded: for=forged;host=forged"],
        ["traceparent: forged", "X-Request-Id: forged<>", "baggage: forged"],
    ):
        head = "\r\n".join(
            ["GET /v1/wallets HTTP/1.1", "Host: forged", f"Authorization: {token}", "Connection: close", *lines, "", ""]
        )
        answer = await raw_exchange(port, head.encode())
        assert answer.startswith(b"HTTP/1.1 200"), lines
        assert "forged" not in str(upstream.seen[-1].headers), lines
    spaced = f"GET /v1/wallets HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nX-User-Id : forged\r\nConnection: close\r\n\r\n"
    assert (await raw_exchange(port, spaced.encode())).startswith(b"HTTP/1.1 400")


async def test_a_spoofed_host_changes_no_link(gateway: Gateway, upstream: EchoUpstream) -> None:
    """Links are made from configuration; the name that a client calls us by is not even passed on."""
    for host in ("evil.test", "lendery.test:8000@evil.test", "evil.test:80", "127.0.0.1"):
        answer = await gateway.http.post("/v1/auth/password/forgot", json={}, headers={"Host": host, "X-Forwarded-Host": host})
        assert answer.status_code == 200
        [seen] = upstream.seen[-1:]
        assert seen.header("x-forwarded-host") == ["lendery.test:8000"]
        assert "evil" not in str(seen.headers)
    document = await gateway.http.get("/openapi.json", headers={"Host": "evil.test"})
    assert document.json()["servers"] == [{"url": "http://lendery.test:8000"}]


async def test_two_hosts(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    head = [
        "GET /v1/wallets HTTP/1.1",
        "Host: a",
        "Host: b",
        f"Authorization: {as_user['Authorization']}",
        "Connection: close",
        "",
        "",
    ]
    assert (await raw_exchange(gateway.running.port, "\r\n".join(head).encode())).startswith(b"HTTP/1.1 400")
    assert upstream.seen == []
