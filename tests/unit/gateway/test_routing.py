"""The route table: what it holds, what it refuses, and how it is searched."""

import re
from collections.abc import Iterable

import pytest

from gateway.own_limits import _BY_ROUTE, OWN_LIMITS
from gateway.routes import BUSINESS, PAGES
from gateway.routing import Route, RouteTable, RouteTableInvalid, WrongMethod
from gateway.settings import PRODUCTION_LIMITS

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications", "sandbox", "mailbox")
TABLE = RouteTable([*BUSINESS, *PAGES], services=SERVICES, limits=PRODUCTION_LIMITS)

# The public contract, as "service access METHODS path": `-` no login, `+` any login, `*` operators.
CONTRACT = """
auth - POST /v1/auth/register
auth - POST /v1/auth/login
auth - POST /v1/auth/login/mfa
auth - POST /v1/auth/refresh
auth - POST /v1/auth/logout
auth + GET /v1/auth/sessions
auth + DELETE /v1/auth/sessions/{id}
auth - POST /v1/auth/email/verify
auth - POST /v1/auth/password/forgot
auth - POST /v1/auth/password/reset
auth + POST /v1/auth/password/change
auth + POST /v1/auth/mfa/totp
auth + POST /v1/auth/mfa/totp/confirm
auth + DELETE /v1/auth/mfa/{method}
auth - POST /v1/auth/login/mfa/challenge
auth - POST /v1/auth/passkeys/login
auth - POST /v1/auth/passkeys/login/options
auth + GET /v1/auth/passkeys
auth + POST /v1/auth/passkeys/register
auth + POST /v1/auth/passkeys/register/options
auth + PATCH,DELETE /v1/auth/passkeys/{id}
auth + POST /v1/auth/mfa/recovery-codes
auth + POST /v1/auth/step-up
auth + POST /v1/auth/step-up/challenge
auth + POST /v1/auth/phone/verify
auth + POST /v1/auth/phone/verify/confirm
auth - GET /v1/auth/oauth/{provider}/authorize
auth - GET /v1/auth/oauth/{provider}/callback
auth - POST /v1/auth/token
auth + GET,POST /v1/api-clients
auth + DELETE /v1/api-clients/{id}
auth + GET,PATCH,DELETE /v1/me
auth + GET /v1/me/export
auth + GET,POST /v1/kyc
auth * GET /v1/admin/kyc
auth * POST /v1/admin/kyc/{id}/approve
auth * POST /v1/admin/kyc/{id}/reject
auth * GET /v1/admin/users
auth * PATCH /v1/admin/users/{id}
auth * GET /v1/admin/audit-log
auth - GET /.well-known/jwks.json
wallet_ledger - GET /.well-known/ledger-keys.json
wallet_ledger + GET,POST /v1/wallets
wallet_ledger + GET /v1/wallets/{id}
wallet_ledger + GET /v1/wallets/{id}/entries
wallet_ledger + GET /v1/wallets/{id}/statement
wallet_ledger + GET /v1/wallets/{id}/balance
wallet_ledger + POST /v1/transfers
wallet_ledger + GET /v1/transactions/{id}
wallet_ledger * GET /v1/admin/ledger/accounts
wallet_ledger * GET /v1/admin/ledger/transactions
wallet_ledger * GET /v1/admin/ledger/trial-balance
wallet_ledger * GET /v1/admin/ledger/checkpoint
wallet_ledger * POST /v1/admin/ledger/verify
wallet_ledger * POST /v1/admin/ledger/transactions/{id}/reverse
payments + GET,POST /v1/deposits
payments + GET /v1/deposits/{id}
payments + GET,POST /v1/withdrawals
payments + GET /v1/withdrawals/{id}
payments + POST /v1/withdrawals/{id}/cancel
payments - GET /v1/payment-providers
payments + GET,POST /v1/payout-destinations
payments + DELETE /v1/payout-destinations/{id}
payments - POST /v1/webhooks/{provider}
payments + POST /v1/mandates
payments + DELETE /v1/mandates/{id}
payments + GET /v1/invoices
payments + GET /v1/invoices/{id}
payments * POST /v1/admin/deposits/{id}/refund
payments * POST /v1/admin/withdrawals/{id}/retry
payments * GET /v1/admin/reconciliation
lending - POST /v1/loans/quote
lending + GET,POST /v1/loans
lending + GET /v1/loans/{id}
lending + GET /v1/loans/{id}/schedule
lending + GET /v1/loans/{id}/events
lending + POST /v1/loans/{id}/cancel
lending * POST /v1/admin/loans/{id}/approve
lending * POST /v1/admin/loans/{id}/decline
lending + POST /v1/loans/{id}/investments
lending + GET /v1/investments
lending + POST /v1/loans/{id}/repayments
lending + GET,POST /v1/loans/{id}/payoff
lending + GET,POST /v1/auto-invest-rules
lending + PATCH,DELETE /v1/auto-invest-rules/{id}
lending + GET /v1/portfolio
lending + GET /v1/credit-assessments/current
lending + POST /v1/credit-assessments
lending * POST /v1/admin/close-of-business
lending * GET /v1/admin/treasury
lending * GET /v1/admin/reports/summary
lending * GET /v1/admin/reports/timeseries
lending + GET,POST /v1/assets
lending + GET,PATCH /v1/assets/{id}
lending + POST /v1/assets/{id}/images
lending + GET /v1/assets/categories
lending + GET /v1/assets/{id}/availability
lending + GET,POST /v1/tickets
lending + POST /v1/tickets/{id}/accept
lending + POST /v1/tickets/{id}/decline
lending + POST /v1/tickets/{id}/cancel
lending + POST /v1/tickets/{id}/hand-over
lending + POST /v1/tickets/{id}/return
lending + POST /v1/tickets/{id}/complete
lending + POST /v1/tickets/{id}/dispute
lending + GET,POST /v1/tickets/{id}/comments
notifications + GET /v1/notifications
notifications + POST /v1/notifications/read
notifications + GET,PUT /v1/notification-preferences
notifications + POST /v1/devices
notifications + DELETE /v1/devices/{id}
notifications + GET /v1/stream
notifications + GET,POST /v1/webhook-endpoints
notifications + GET,PATCH,DELETE /v1/webhook-endpoints/{id}
notifications + POST /v1/webhook-endpoints/{id}/test
notifications + POST /v1/webhook-endpoints/{id}/rotate-secret
notifications + GET /v1/webhook-endpoints/{id}/deliveries
notifications + POST /v1/webhook-deliveries/{id}/replay
notifications - GET /v1/event-types
sandbox - GET,POST /sandbox/checkout/{id}
mailbox - GET /mailbox
mailbox - GET /mailbox/messages/{id}
"""


def _contract() -> Iterable[tuple[str, str, str, str]]:
    for line in CONTRACT.strip().splitlines():
        service, access, methods, path = line.split()
        for method in methods.split(","):
            yield service, access, method, path


@pytest.mark.parametrize(("service", "access", "method", "path"), list(_contract()))
def test_every_call_of_the_contract_has_its_route(service: str, access: str, method: str, path: str) -> None:
    route = TABLE.find(method, re.sub(r"\{\w+\}", "0197-x", path))
    assert isinstance(route, Route)
    assert route.service == service
    assert route.public == (access == "-")
    assert bool(route.roles) == (access == "*")


def test_only_these_calls_are_public() -> None:
    """Whoever opens another call to the world has to say so here."""
    public = {route.pattern for route in TABLE.routes if route.public and route.pattern.startswith("/v1/")}
    assert public == {
        "/v1/auth/register",
        "/v1/auth/login",
        "/v1/auth/login/mfa",
        "/v1/auth/refresh",
        "/v1/auth/logout",
        "/v1/auth/email/verify",
        "/v1/auth/password/forgot",
        "/v1/auth/password/reset",
        "/v1/auth/token",
        "/v1/auth/oauth/{provider}/authorize",
        "/v1/auth/oauth/{provider}/callback",
        "/v1/auth/erasure-reports/{secret}",
        "/v1/auth/email/change/confirm",
        "/v1/auth/identities/confirm",
        "/v1/auth/factor-reset/stop",
        "/v1/auth/oauth/exchange",
        "/v1/auth/oauth/providers",
        "/v1/auth/login/mfa/challenge",
        "/v1/auth/passkeys/login",
        "/v1/auth/passkeys/login/options",
        "/v1/auth/pages/*",
        "/v1/payment-providers",
        "/v1/webhooks/{provider}",
        "/v1/webhooks/kyc/{provider}",
        "/v1/loans/quote",
        "/v1/event-types",
    }


def test_routes_with_a_limit_of_their_own() -> None:
    """Each limit is that of some route; what tries secrets, sends letters, or costs much has one."""
    own = {f"{method} {route.pattern}": route.own_limit for route in TABLE.routes for method in route.methods if route.own_limit}
    assert set(own.values()) == OWN_LIMITS.keys()
    assert own["POST /v1/auth/login"] == own["POST /v1/auth/login/mfa"] == "login"
    assert own["POST /v1/auth/password/forgot"] == "letter"
    assert own["POST /v1/kyc"] == "upload"
    assert "GET /v1/kyc" not in own
    assert len(own) == len(_BY_ROUTE), "a row that is no route's"


def test_cookies_pass_only_below_auth() -> None:
    assert {route.service for route in TABLE.routes if route.cookies} == {"auth"}
    assert {route.pattern for route in TABLE.routes if route.signed} == {"/v1/webhooks/{provider}", "/v1/webhooks/kyc/{provider}"}


def _table(*routes: Route) -> RouteTable:
    return RouteTable(routes, services=("a", "b"), limits=("read",))


def _route(pattern: str, methods: str = "GET", service: str = "a", **settings: object) -> Route:
    return Route(pattern, frozenset(methods.split(",")), service, "read", **settings)  # type: ignore[arg-type]


def test_the_most_specific_pattern_wins_in_any_order() -> None:
    routes = [_route("/x/*"), _route("/x/{id}"), _route("/x/new"), _route("/x/{id}/part"), _route("/x/new/*", service="b")]
    for table in (_table(*routes), _table(*reversed(routes))):
        for path, pattern in [
            ("/x/new", "/x/new"),
            ("/x/other", "/x/{id}"),
            ("/x/other/part", "/x/{id}/part"),
            ("/x/new/part", "/x/new/*"),
            ("/x/other/thing", "/x/*"),
            ("/x/a/b/c", "/x/*"),
        ]:
            found = table.find("GET", path)
            assert isinstance(found, Route)
            assert found.pattern == pattern
        assert table.find("GET", "/x") is None
        assert table.find("GET", "/y") is None


def test_a_more_specific_path_hides_the_methods_of_a_less_specific_one() -> None:
    table = _table(_route("/x/{id}", "GET,DELETE"), _route("/x/quote", "POST"))
    assert table.find("GET", "/x/quote") == WrongMethod("/x/quote", "OPTIONS, POST")
    assert isinstance(table.find("DELETE", "/x/1"), Route)


def test_head_goes_where_get_goes() -> None:
    table = _table(_route("/x"), _route("/y", "POST"))
    assert table.find("HEAD", "/x") == table.find("GET", "/x")
    assert table.find("HEAD", "/y") == WrongMethod("/y", "OPTIONS, POST")


def test_a_slash_at_the_end_is_another_address() -> None:
    table = _table(_route("/x"), _route("/pages/*"))
    assert table.find("GET", "/x/") is None
    assert isinstance(table.find("GET", "/pages/"), Route)
    assert isinstance(table.find("GET", "/pages/a/"), Route)
    assert table.find("GET", "/pages") is None


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ([_route("/x", service="c")], "no service c"),
        ([_route("/x"), _route("/x", "GET,POST")], "GET /x is there twice"),
        ([_route("/x/{a}"), _route("/x/{b}")], "twice"),
        ([_route("x")], "not one"),
        ([_route("/x/")], "not one"),
        ([_route("/X")], "not one"),
        ([_route("/x/*/y")], "not one"),
        ([_route("/x", "HEAD")], "methods must be"),
        ([_route("/x", roles=frozenset({"king"}))], "unknown role"),
        ([_route("/x", public=True, scope="x:read")], "public"),
        ([_route("/x", timeout_seconds=0)], "timeout"),
        ([_route("/x", body_limit_bytes=0)], "body limit"),
        ([_route("/v1/admin/x")], "operators"),
        ([Route("/x", frozenset({"GET"}), "a", "unheard")], "limit class"),
        ([_route("/x", own_limit="unheard")], "limit class"),
    ],
)
def test_a_table_that_contradicts_itself_does_not_start(routes: list[Route], fault: str) -> None:
    with pytest.raises(RouteTableInvalid, match=re.escape(fault)):
        _table(*routes)
