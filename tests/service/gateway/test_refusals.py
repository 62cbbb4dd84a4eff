"""What the gateway refuses itself; the service never hears of it."""

import time
from uuid import UUID

from gateway.limits import Limit
from shared.ids import new_id
from shared.problems.document import MEDIA_TYPE
from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import access_token, bearer


async def test_no_token(gateway: Gateway, upstream: EchoUpstream) -> None:
    answer = await gateway.http.get("/v1/wallets")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["trace_id"] in answer.headers["traceresponse"]
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert upstream.seen == []


async def test_bad_tokens(gateway: Gateway, upstream: EchoUpstream, user_id: UUID) -> None:
    good = access_token(user_id)
    head, payload, signature = good.split(".")
    bad = {
        "nonsense": "unauthenticated",
        f"{head}.{payload}.": "unauthenticated",
        f"{head}.{payload}.{signature[:-4]}AAAA": "unauthenticated",
        access_token(user_id, aud="others"): "unauthenticated",
        access_token(user_id, age_seconds=3600): "token_expired",
    }
    for token, code in bad.items():
        answer = await gateway.http.get("/v1/wallets", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
    for scheme in (f"Basic {good}", good, f"Bearer{good}", "Bearer"):
        assert (await gateway.http.get("/v1/wallets", headers={"Authorization": scheme})).status_code == 401
    assert upstream.seen == []
    assert (await gateway.http.get("/v1/wallets", headers={"Authorization": f"bearer {good}"})).status_code == 200


async def test_a_remembered_token_still_expires(gateway: Gateway, upstream: EchoUpstream, user_id: UUID) -> None:
    token = bearer(user_id)
    assert (await gateway.http.get("/v1/wallets", headers=token)).status_code == 200
    remembered = gateway.edge.authenticator
    assert remembered.remembered(token["Authorization"][7:]) is not None
    in_a_while = time.time() + 31
    remembered._now = lambda: in_a_while
    assert remembered.remembered(token["Authorization"][7:]) is None


async def test_public_routes_do_not_look_at_tokens(gateway: Gateway, upstream: EchoUpstream, user_id: UUID) -> None:
    expired = bearer(user_id, age_seconds=3600)
    assert (await gateway.http.post("/v1/auth/refresh", json={}, headers=expired)).status_code == 200
    assert (await gateway.http.post("/v1/loans/quote", json={})).status_code == 200
    assert len(upstream.seen) == 2


async def test_operators_calls_need_a_role(gateway: Gateway, upstream: EchoUpstream, user_id: UUID) -> None:
    loan = new_id()
    approve = f"/v1/admin/loans/{loan}/approve"
    for roles, status in [(("user",), 403), (("support",), 403), ((), 403), (("admin",), 200), (("user", "admin"), 200)]:
        answer = await gateway.http.post(approve, headers=bearer(user_id, roles=roles))
        assert answer.status_code == status, roles
    assert (await gateway.http.get("/v1/admin/kyc", headers=bearer(user_id, roles=("support",)))).status_code == 200
    assert len(upstream.seen) == 3


async def test_api_clients_need_the_scope(gateway: Gateway, upstream: EchoUpstream, user_id: UUID) -> None:
    without = bearer(user_id, roles=("partner",), scope="loans:read")
    assert (await gateway.http.get("/v1/wallets", headers=without)).json()["code"] == "forbidden"
    reader = bearer(user_id, roles=("partner",), scope="loans:read wallets:read")
    assert (await gateway.http.get("/v1/wallets", headers=reader)).status_code == 200
    assert (await gateway.http.post("/v1/wallets", headers=reader)).status_code == 403
    assert [seen.method for seen in upstream.seen] == ["GET"]


async def test_unknown_addresses(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    for path in ("/v1/nothing", "/v1", "/v2/wallets", "/v1/wallets/", "/v1/loans/1/2/3/4", "/internal", "/sandbox"):
        answer = await gateway.http.get(path, headers=as_user)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert answer.headers["content-type"] == MEDIA_TYPE
    assert upstream.seen == []


async def test_wrong_methods(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.delete("/v1/wallets", headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    for method in ("TRACE", "CONNECT", "PURGE", "get"):
        answer_bytes = await raw_exchange(
            gateway.running.port, f"{method} /v1/wallets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer_bytes.split()[1] in (b"405", b"400"), method
    options = await gateway.http.options("/v1/wallets")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert upstream.seen == []


async def test_a_long_address(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.get("/v1/wallets?q=" + "x" * 9000, headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (414, "address_too_long")
    assert upstream.seen == []


async def test_cors_only_for_the_origins_that_are_named(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}
    async with start_gateway(cors_origins="https://app.lendery.test, https://other.test") as gateway:
        preflight = await gateway.http.options("/v1/transfers", headers={"Origin": "https://app.lendery.test", **ask})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://app.lendery.test"
        assert "idempotency-key" in preflight.headers["access-control-allow-headers"].lower()
        assert preflight.headers["ratelimit"].startswith('"page";r=')
        stranger = await gateway.http.options("/v1/transfers", headers={"Origin": "https://evil.test", **ask})
        assert stranger.status_code == 400
        assert "access-control-allow-origin" not in stranger.headers
        assert upstream.seen == []
        answer = await gateway.http.get("/v1/wallets", headers={**as_user, "Origin": "https://app.lendery.test"})
        assert answer.headers.get_list("access-control-allow-origin") == ["https://app.lendery.test"]
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        refused = await gateway.http.get("/v1/wallets", headers={"Origin": "https://app.lendery.test"})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://app.lendery.test"


async def test_preflights_are_counted(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    ask = {"Origin": "https://app.lendery.test", "Access-Control-Request-Method": "POST"}
    async with start_gateway(cors_origins="https://app.lendery.test") as gateway:
        gateway.edge.table.limits["page"] = Limit(2, 3600)
        answers = [await gateway.http.options("/v1/transfers", headers=ask) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
        assert (answers[2].json()["code"], "retry-after" in answers[2].headers) == ("rate_limited", True)
        # Visitors of our own pages have a bucket of their own.
        assert (await gateway.http.get("/docs", headers={"Origin": "https://app.lendery.test"})).status_code == 200
    assert upstream.seen == []


async def test_no_cors_unless_configured(gateway: Gateway, as_user: dict[str, str]) -> None:
    answer = await gateway.http.get("/v1/wallets", headers={**as_user, "Origin": "https://app.lendery.test"})
    assert "access-control-allow-origin" not in answer.headers
