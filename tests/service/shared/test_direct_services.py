"""What the services answer the short way: all but pages, redirects and files."""

import typing
from importlib import import_module

import pytest

from shared.http.app import App
from tests.support.identity import platform_for_tests

PAGES = "/v1/auth/pages/"
FILES_AND_REDIRECTS = {
    "/v1/admin/kyc/{kyc_id}/documents/{document_id}",
    "/v1/admin/audit-log/export",
    "/v1/auth/oauth/{provider}/authorize",
    "/v1/auth/oauth/{provider}/callback",
}


@pytest.mark.parametrize("service", ["auth", "wallet_ledger", "lending", "payments", "notifications"])
async def test_calls_are_answered_the_short_way(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/never_connected")
    build = import_module(f"services.{service}.main").build
    built = build(typing.get_type_hints(build)["settings"](), platform_for_tests())
    app: App = built.app
    app.build_middleware_stack()
    assert {path for path in app.direct.left_out if not path.startswith(PAGES)} <= FILES_AND_REDIRECTS
    await built.database.dispose()
