"""Merging the services' descriptions."""

import json
from typing import Any

from gateway.openapi import merge
from gateway.routing import Route, RouteTable
from shared.identity.scopes import SCOPES

TABLE = RouteTable(
    [
        Route("/v1/auth/login", frozenset({"POST"}), "auth", "read", public=True),
        Route("/v1/wallets", frozenset({"GET"}), "wallet_ledger", "read"),
        Route("/v1/wallets/{id}", frozenset({"GET"}), "wallet_ledger", "read", scope="wallets:read"),
        Route("/v1/loans", frozenset({"GET", "POST"}), "lending", "read"),
        Route("/v1/admin/loans/{id}/approve", frozenset({"POST"}), "lending", "read", roles=frozenset({"admin"})),
    ],
    services=("auth", "wallet_ledger", "lending"),
    limits=("read",),
)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(name: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": _reference(schema)}}
    return {"operationId": name, "tags": ["x"], "responses": {"200": {"description": "OK", "content": content}}}


def _document(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths, "components": {"schemas": schemas}}


WALLETS = _document(
    {
        "/v1/wallets": {"get": _operation("list_all", "Page")},
        "/v1/wallets/{wallet_id}": {"get": _operation("get_wallet", "Item")},
    },
    {
        "Page": {"type": "object", "properties": {"items": {"type": "array", "items": _reference("Item")}}},
        "Item": {"type": "object", "title": "a wallet"},
        "Problem": {"type": "object"},
        "Unused": {"type": "string"},
    },
)
LENDING = _document(
    {
        "/v1/loans": {"get": _operation("list_all", "Page"), "put": _operation("replace_loans", "Item")},
        "/v1/admin/loans/{loan_id}/approve": {"post": _operation("approve_loan", "Problem")},
        "/v1/wallets": {"get": _operation("not_mine", "Item")},
    },
    {
        "Page": {"type": "object", "properties": {"items": {"type": "array", "items": _reference("Item")}}},
        "Item": {"type": "object", "title": "a loan"},
        "Problem": {"type": "object"},
    },
)


def _merged(**documents: dict[str, Any]) -> dict[str, Any]:
    return merge(documents, TABLE, info={"title": "x", "version": "1"}, server_url="https://lendery.test")


def test_schemas_that_differ_get_their_service_in_front() -> None:
    schemas = _merged(wallet_ledger=WALLETS, lending=LENDING)["components"]["schemas"]
    assert set(schemas) == {"LendingItem", "LendingPage", "Problem", "WalletLedgerItem", "WalletLedgerPage"}
    assert schemas["LendingPage"]["properties"]["items"]["items"] == _reference("LendingItem")
    assert schemas["WalletLedgerItem"]["title"] == "a wallet"


def test_operations_point_to_their_own_schemas() -> None:
    paths = _merged(wallet_ledger=WALLETS, lending=LENDING)["paths"]
    schema = paths["/v1/loans"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == _reference("LendingPage")


def test_a_schema_that_is_alone_keeps_its_name() -> None:
    assert set(_merged(wallet_ledger=WALLETS)["components"]["schemas"]) == {"Item", "Page"}


def test_schemas_that_refer_to_each_other_end() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": _reference("Item")}}}
    looped = _document({"/v1/loans": {"get": _operation("loans", "Item")}}, {"Item": tree})
    assert _merged(lending=looped)["components"]["schemas"] == {"Item": tree}


def test_only_routed_operations_of_the_right_service_are_public() -> None:
    paths = _merged(wallet_ledger=WALLETS, lending=LENDING)["paths"]
    assert list(paths) == ["/v1/wallets", "/v1/wallets/{wallet_id}", "/v1/loans", "/v1/admin/loans/{loan_id}/approve"]
    assert set(paths["/v1/loans"]) == {"get"}
    assert paths["/v1/wallets"]["get"]["operationId"] != "not_mine"


def test_the_route_table_says_who_may_call() -> None:
    login = _document({"/v1/auth/login": {"post": _operation("log_in", "Token")}}, {"Token": {"type": "object"}})
    paths = _merged(auth=login, wallet_ledger=WALLETS, lending=LENDING)["paths"]
    assert paths["/v1/auth/login"]["post"]["security"] == []
    assert paths["/v1/wallets/{wallet_id}"]["get"]["x-scope"] == "wallets:read"
    assert paths["/v1/admin/loans/{loan_id}/approve"]["post"]["x-roles"] == ["admin"]
    assert [path["tags"] for item in paths.values() for path in item.values()] == [
        ["Signing in"], ["Wallets"], ["Wallets"], ["Loans"], ["Operations"],
    ]  # fmt: skip


def test_every_way_to_show_who_is_calling_is_described() -> None:
    document = _merged(wallet_ledger=WALLETS, lending=LENDING)
    paths, schemes = document["paths"], document["components"]["securitySchemes"]
    assert paths["/v1/wallets"]["get"]["security"] == [{"bearer": []}, {"cookie": []}]
    approve = paths["/v1/admin/loans/{loan_id}/approve"]["post"]
    assert approve["security"] == [{"bearer": []}, {"cookie": [], "csrf": []}], "cookies alone change nothing"
    assert paths["/v1/wallets/{wallet_id}"]["get"]["security"][2:] == [{"client": ["wallets:read"]}]
    assert schemes["cookie"]["name"] == "__Host-lendery_access"
    assert schemes["csrf"]["name"] == "X-CSRF-Token"
    flow = schemes["client"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "https://lendery.test/v1/auth/token"
    assert flow["scopes"] == SCOPES


def test_operation_ids_are_unique() -> None:
    paths = _merged(wallet_ledger=WALLETS, lending=LENDING)["paths"]
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert {"list_all", "wallet_ledger_list_all"} <= set(ids)


def test_the_result_does_not_depend_on_who_answered_first() -> None:
    one = _merged(wallet_ledger=WALLETS, lending=LENDING)
    other = _merged(lending=LENDING, wallet_ledger=WALLETS)
    assert json.dumps(one) == json.dumps(other)
    assert WALLETS["paths"]["/v1/wallets"]["get"]["tags"] == ["x"], "the services' own documents are not touched"


def test_summaries_are_sentences() -> None:
    operation = _operation("get_wallet_jwks", "Item") | {"summary": "Get Wallet Jwks"}
    own = _operation("list_wallets", "Item") | {"summary": "Every Wallet"}
    document = _document({"/v1/wallets/{id}": {"get": operation}, "/v1/wallets": {"get": own}}, {"Item": {"type": "object"}})
    paths = _merged(wallet_ledger=document)["paths"]
    assert paths["/v1/wallets/{id}"]["get"]["summary"] == "Get wallet JWKS"
    assert paths["/v1/wallets"]["get"]["summary"] == "Every Wallet"


def test_headers_and_answers_are_written_as_people_write_them() -> None:
    operation = _operation("open_wallet", "Item")
    operation["parameters"] = [
        {
            "in": "header",
            "name": "idempotency-key",
            "required": False,
            "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        {"in": "header", "name": "prefer", "required": False, "schema": {"type": "string"}},
        {"in": "header", "name": "X-CSRF-Token", "required": False, "schema": {"type": "string"}},
        {"in": "query", "name": "page-size", "required": False, "schema": {"type": "string"}},
    ]
    operation["responses"]["200"]["description"] = "Successful Response"
    merged = _merged(wallet_ledger=_document({"/v1/wallets": {"get": operation}}, {"Item": {"type": "object"}}))
    shown = merged["paths"]["/v1/wallets"]["get"]
    assert [(parameter["name"], parameter["required"]) for parameter in shown["parameters"]] == [
        ("Idempotency-Key", True), ("Prefer", False), ("X-CSRF-Token", False), ("page-size", False),
    ]  # fmt: skip
    assert shown["responses"]["200"]["description"] == "OK"
