"""The gateway's own addresses."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "a service", "version": "0.1.0"},
    "paths": {
        "/v1/wallets": {
            "get": {
                "operationId": "list_wallets",
                "tags": ["whatever"],
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wallet"}}},
                    }
                },
            }
        },
        "/internal": {"get": {"operationId": "internal", "responses": {"200": {"description": "OK"}}}},
    },
    "components": {"schemas": {"Wallet": {"type": "object", "properties": {"balance": {"type": "integer"}}}}},
}


async def test_the_merged_description(gateway: Gateway, upstream: EchoUpstream) -> None:
    upstream.documents = DOCUMENT
    answer = await gateway.http.get("/openapi.json")
    merged = answer.json()
    OpenAPIV31SpecValidator(merged).validate()
    assert list(merged["paths"]) == ["/v1/wallets"]
    assert merged["paths"]["/v1/wallets"]["get"]["tags"] == ["Wallets"]
    assert merged["paths"]["/v1/wallets"]["get"]["security"][0] == {"bearer": []}
    assert merged["servers"] == [{"url": "http://lendery.test:8000"}]
    assert merged["info"]["version"]
    again = await gateway.http.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert upstream.seen == []


async def test_a_description_while_services_are_away(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    upstream.documents = DOCUMENT
    async with start_gateway(lending_url="http://127.0.0.1:1") as gateway:
        answer = await gateway.http.get("/openapi.json")
        assert list(answer.json()["paths"]) == ["/v1/wallets"]
        assert answer.headers["x-missing-services"] == "lending"
    upstream.documents = {}
    async with start_gateway() as gateway:
        answer = await gateway.http.get("/openapi.json")
        assert answer.status_code == 200
        assert answer.json()["paths"] == {}
        OpenAPIV31SpecValidator(answer.json()).validate()


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_need_nothing_from_elsewhere(gateway: Gateway, path: str) -> None:
    page = await gateway.http.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)
    assert not re.search(r"<script>|<style|\son[a-z]+=|style=", page.text)
    for address in re.findall(r"(?:src|href)=\"(/docs/assets/[^\"]+)\"", page.text):
        asset = await gateway.http.get(address)
        assert asset.status_code == 200, address
        assert asset.headers["x-content-type-options"] == "nosniff"
        for module in re.findall(r"from \"\./([a-z]+\.js)\"", asset.text):
            assert (await gateway.http.get(f"/docs/assets/{module}")).headers["content-type"].startswith("text/javascript")


async def test_the_front_page_knows_whether_there_is_a_mailbox(start_gateway: StartGateway, gateway: Gateway) -> None:
    assert 'href="/mailbox"' in (await gateway.http.get("/")).text
    async with start_gateway(mailbox_url=None) as without:
        assert "mailbox" not in (await without.http.get("/")).text


async def test_assets_cannot_be_left(gateway: Gateway) -> None:
    for path in ("/docs/assets/../docs.html", "/docs/assets/..%2f..%2fmain.py", "/docs/assets/", "/docs/assets/nothing.js"):
        answer = await raw_exchange(gateway.running.port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.split()[1] in (b"400", b"404"), path


async def test_health(gateway: Gateway) -> None:
    answer = await gateway.http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_metrics_are_for_this_machine_alone(start_gateway: StartGateway, gateway: Gateway, as_user: dict[str, str]) -> None:
    await gateway.http.get("/v1/wallets", headers=as_user)
    answer = await gateway.http.get("/metrics")
    assert answer.status_code == 200
    assert 'lendery_http_requests_total{method="GET",route="/v1/wallets",service="gateway",status="200"}' in answer.text
    # A proxy on this machine that passes on a request from outside is not this machine asking.
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert (await gateway.http.get("/metrics", headers={header: "203.0.113.1"})).status_code == 404


async def test_keys_come_from_the_auth_service(gateway: Gateway, upstream: EchoUpstream) -> None:
    assert (await gateway.http.get("/.well-known/jwks.json")).status_code == 200
    assert upstream.seen[0].raw_path == "/.well-known/jwks.json"
