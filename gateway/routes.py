"""The public address space of Lendery, as data: docs/, the access tests and the proxy all read this table.

A row is the methods and the pattern; a path of the public contract whose service does not have it yet leads there all
the same, and the service answers 404.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.routing import Route

_OPERATORS = frozenset({"support", "admin"})
_ADMIN = frozenset({"admin"})
_REPORT_SECONDS = 120.0
_WHOLE_LEDGER_SECONDS = 900.0
_STREAM_SECONDS = 120.0
_FILES_BYTES = 12 << 20
_LARGE_FILE_BYTES = 32 << 20
_KEYS_KEPT = "public, max-age=60"
_LISTS_KEPT = "public, max-age=60"


def _rows(service: str, rows: str, **settings: object) -> list[Route]:
    """The routes of a block of lines such as `GET,POST /v1/wallets`."""
    routes = []
    for row in rows.strip().splitlines():
        methods, pattern = row.split()
        route = Route(pattern, frozenset(methods.split(",")), service, limit="read")
        routes += [replace(part, **settings) for part in _by_safety(route)]  # type: ignore[arg-type]
    return routes


def _by_safety(route: Route) -> Iterable[Route]:
    """Reads and writes of the same address are limited apart."""
    reads, writes = route.methods & {"GET"}, route.methods - {"GET"}
    if reads:
        yield replace(route, methods=reads)
    if writes:
        yield replace(route, methods=writes, limit="write")


def _scoped(scope: str, routes: Iterable[Route]) -> list[Route]:
    return [replace(route, scope=f"{scope}:{'read' if route.methods == {'GET'} else 'write'}") for route in routes]


AUTH = [
    *_rows(
        "auth",
        """
        POST /v1/auth/register
        POST /v1/auth/login
        POST /v1/auth/login/mfa
        POST /v1/auth/login/mfa/challenge
        POST /v1/auth/refresh
        POST /v1/auth/logout
        POST /v1/auth/email/verify
        POST /v1/auth/password/forgot
        POST /v1/auth/password/reset
        POST /v1/auth/token
        GET /v1/auth/oauth/providers
        GET /v1/auth/oauth/{provider}/authorize
        GET /v1/auth/oauth/{provider}/callback
        POST /v1/auth/oauth/exchange
        POST /v1/auth/identities/confirm
        POST /v1/auth/email/change/confirm
        POST /v1/auth/passkeys/login
        POST /v1/auth/passkeys/login/options
        """,
        public=True,
        limit="sign_in",
        cookies=True,
    ),
    *_rows("auth", "GET,POST /v1/auth/pages/*", public=True, limit="sign_in", cookies=True),
    *_rows(
        "auth",
        """
        POST /v1/auth/email/resend
        POST /v1/auth/email/change
        POST /v1/auth/oauth/{provider}/link
        GET /v1/auth/identities
        DELETE /v1/auth/identities/{id}
        GET,DELETE /v1/auth/sessions
        DELETE /v1/auth/sessions/{id}
        POST /v1/auth/password/change
        GET /v1/auth/mfa
        POST,DELETE /v1/auth/mfa/{method}
        POST /v1/auth/mfa/{method}/confirm
        GET /v1/auth/passkeys
        POST /v1/auth/passkeys/register
        POST /v1/auth/passkeys/register/options
        PATCH,DELETE /v1/auth/passkeys/{id}
        POST /v1/auth/step-up
        POST /v1/auth/step-up/challenge
        POST /v1/auth/phone/verify
        POST /v1/auth/phone/verify/confirm
        """,
        cookies=True,
    ),
    *_rows(
        "auth",
        """
        GET,POST /v1/api-clients
        GET,PATCH,DELETE /v1/api-clients/{id}
        POST /v1/api-clients/{id}/rotate-secret
        GET,PATCH,DELETE /v1/me
        GET /v1/kyc
        """,
    ),
    *_rows("auth", "GET /v1/me/export", limit="heavy", timeout_seconds=_REPORT_SECONDS),
    *_rows("auth", "GET /v1/auth/erasure-reports/{secret}", public=True, limit="public"),
    *_rows("auth", "POST /v1/kyc", body_limit_bytes=_LARGE_FILE_BYTES),
    *_rows("auth", "GET /.well-known/jwks.json", public=True, limit="public", cache=_KEYS_KEPT),
    *_rows(
        "auth",
        """
        GET /v1/admin/kyc
        GET /v1/admin/kyc/{id}
        GET /v1/admin/kyc/{id}/documents/{document_id}
        POST /v1/admin/kyc/{id}/claim
        POST /v1/admin/kyc/{id}/release
        POST /v1/admin/kyc/{id}/approve
        POST /v1/admin/kyc/{id}/reject
        GET /v1/admin/users
        GET /v1/admin/users/{id}
        """,
        roles=_OPERATORS,
    ),
    *_rows(
        "auth",
        """
        PATCH /v1/admin/users/{id}
        GET /v1/admin/audit-log
        GET /v1/admin/role-grants
        POST /v1/admin/role-grants/{id}/approve
        POST /v1/admin/role-grants/{id}/decline
        GET /v1/admin/signing-keys
        POST /v1/admin/signing-keys/rotate
        POST /v1/admin/signing-keys/{id}/revoke
        """,
        roles=_ADMIN,
    ),
    *_rows("auth", "GET /v1/admin/audit-log/export", roles=_ADMIN, limit="heavy", timeout_seconds=_REPORT_SECONDS),
]

WALLET_LEDGER = [
    *_scoped(
        "wallets",
        [
            *_rows(
                "wallet_ledger",
                """
                GET,POST /v1/wallets
                GET,DELETE /v1/wallets/{id}
                GET /v1/wallets/{id}/entries
                GET /v1/wallets/{id}/balance
                GET /v1/transactions/{id}
                """,
            ),
            *_rows("wallet_ledger", "GET /v1/wallets/{id}/statement", limit="heavy", timeout_seconds=_REPORT_SECONDS),
        ],
    ),
    *_scoped("transfers", _rows("wallet_ledger", "POST /v1/transfers")),
    *_rows("wallet_ledger", "GET /.well-known/ledger-keys.json", public=True, limit="public"),
    *_rows(
        "wallet_ledger",
        """
        GET /v1/admin/ledger/accounts
        GET /v1/admin/ledger/accounts/{id}
        GET /v1/admin/ledger/adjustments
        GET /v1/admin/ledger/adjustments/{id}
        GET /v1/admin/ledger/reconciliations
        GET /v1/admin/ledger/transactions
        GET /v1/admin/ledger/transactions/{id}
        GET /v1/admin/ledger/trial-balance
        GET /v1/admin/ledger/checkpoint
        """,
        roles=_OPERATORS,
        timeout_seconds=_REPORT_SECONDS,
    ),
    *_rows("wallet_ledger", "POST /v1/admin/ledger/transactions/{id}/reverse", roles=_ADMIN),
    *_rows(
        "wallet_ledger",
        """
        POST /v1/admin/ledger/accounts/{id}/freeze
        POST /v1/admin/ledger/accounts/{id}/unfreeze
        PUT /v1/admin/ledger/accounts/{id}/limits
        POST /v1/admin/ledger/accounts/{id}/close
        POST /v1/admin/ledger/adjustments
        POST /v1/admin/ledger/adjustments/{id}/approve
        POST /v1/admin/ledger/adjustments/{id}/decline
        """,
        roles=_ADMIN,
    ),
    *_rows(
        "wallet_ledger",
        """
        POST /v1/admin/ledger/verify
        POST /v1/admin/ledger/reconciliations
        """,
        roles=_ADMIN,
        limit="heavy",
        timeout_seconds=_WHOLE_LEDGER_SECONDS,
    ),
]

PAYMENTS = [
    *_scoped(
        "payments",
        _rows(
            "payments",
            """
            GET,POST /v1/deposits
            GET /v1/deposits/{id}
            GET,POST /v1/withdrawals
            GET /v1/withdrawals/{id}
            POST /v1/withdrawals/{id}/cancel
            GET,POST /v1/payout-destinations
            GET,DELETE /v1/payout-destinations/{id}
            GET,POST /v1/mandates
            GET,DELETE /v1/mandates/{id}
            GET /v1/invoices
            GET /v1/invoices/{id}
            """,
        ),
    ),
    *_rows("payments", "GET /v1/payment-providers", public=True, limit="public", cache=_LISTS_KEPT),
    *_rows("payments", "GET,POST /v1/webhooks/{provider}", public=True, limit="webhook", signed=True),
    *_rows(
        "payments",
        """
        POST /v1/admin/deposits/{id}/refund
        POST /v1/admin/withdrawals/{id}/retry
        """,
        roles=_ADMIN,
    ),
    *_rows(
        "payments",
        """
        GET /v1/admin/reconciliation
        GET /v1/admin/reconciliation/{id}/items
        """,
        roles=_OPERATORS,
        timeout_seconds=_REPORT_SECONDS,
    ),
    *_rows("payments", "POST /v1/admin/reconciliation", roles=_ADMIN, limit="heavy", timeout_seconds=_REPORT_SECONDS),
]

LENDING = [
    *_rows("lending", "POST /v1/loans/quote", public=True, limit="public"),
    *_scoped(
        "loans",
        [
            *_rows(
                "lending",
                """
                GET,POST /v1/loans
                GET /v1/loans/{id}
                GET /v1/loans/{id}/schedule
                GET /v1/loans/{id}/events
                POST /v1/loans/{id}/cancel
                GET,POST /v1/loans/{id}/repayments
                GET /v1/loans/{id}/repayments/{repayment_id}
                GET,POST /v1/loans/{id}/payoff
                GET /v1/credit-assessments/current
                """,
            ),
            *_rows("lending", "POST /v1/credit-assessments", body_limit_bytes=_FILES_BYTES),
        ],
    ),
    *_scoped(
        "investments",
        _rows(
            "lending",
            """
            GET,POST /v1/loans/{id}/investments
            GET /v1/investments
            GET /v1/investments/{id}
            GET,POST /v1/auto-invest-rules
            GET,PATCH,DELETE /v1/auto-invest-rules/{id}
            GET /v1/portfolio
            """,
        ),
    ),
    *_scoped(
        "assets",
        [
            *_rows(
                "lending",
                """
                GET,POST /v1/assets
                GET /v1/assets/categories
                GET,PATCH,DELETE /v1/assets/{id}
                GET,POST,PUT,DELETE /v1/assets/{id}/availability
                GET,POST /v1/tickets
                GET /v1/tickets/{id}
                POST /v1/tickets/{id}/accept
                POST /v1/tickets/{id}/decline
                POST /v1/tickets/{id}/cancel
                POST /v1/tickets/{id}/hand-over
                POST /v1/tickets/{id}/return
                POST /v1/tickets/{id}/complete
                POST /v1/tickets/{id}/dispute
                GET,POST /v1/tickets/{id}/comments
                """,
            ),
            *_rows(
                "lending",
                """
                GET,POST /v1/assets/{id}/images
                GET,DELETE /v1/assets/{id}/images/{image_id}
                """,
                body_limit_bytes=_FILES_BYTES,
            ),
        ],
    ),
    *_rows(
        "lending",
        """
        POST /v1/admin/loans/{id}/approve
        POST /v1/admin/loans/{id}/decline
        """,
        roles=_ADMIN,
    ),
    *_rows(
        "lending",
        "POST /v1/admin/close-of-business",
        roles=_ADMIN,
        limit="heavy",
        timeout_seconds=_WHOLE_LEDGER_SECONDS,
    ),
    *_rows("lending", "GET /v1/admin/close-of-business", roles=_ADMIN, timeout_seconds=_REPORT_SECONDS),
    *_rows(
        "lending",
        """
        GET /v1/admin/treasury
        GET /v1/admin/reports/summary
        GET /v1/admin/reports/timeseries
        """,
        roles=_OPERATORS,
        timeout_seconds=_REPORT_SECONDS,
    ),
]

NOTIFICATIONS = [
    *_rows(
        "notifications",
        """
        GET /v1/notifications
        GET /v1/notifications/unread-count
        POST /v1/notifications/read
        GET,PUT /v1/notification-preferences
        GET,POST /v1/devices
        DELETE /v1/devices/{id}
        """,
    ),
    *_rows("notifications", "GET /v1/stream", timeout_seconds=_STREAM_SECONDS),
    *_scoped(
        "webhooks",
        _rows(
            "notifications",
            """
            GET,POST /v1/webhook-endpoints
            GET,PATCH,DELETE /v1/webhook-endpoints/{id}
            POST /v1/webhook-endpoints/{id}/test
            POST /v1/webhook-endpoints/{id}/rotate-secret
            GET /v1/webhook-endpoints/{id}/deliveries
            POST /v1/webhook-deliveries/{id}/replay
            """,
        ),
    ),
    *_rows("notifications", "GET /v1/event-types", public=True, limit="public", cache=_LISTS_KEPT),
]

PAGES = [
    *_rows("sandbox", "GET,POST /sandbox/*", public=True, limit="page"),
    *_rows("mailbox", "GET,POST,DELETE /mailbox", public=True, limit="page"),
    *_rows("mailbox", "GET,POST,DELETE /mailbox/*", public=True, limit="page"),
]
"""The sandbox payment provider and the local mailbox: there only when the gateway is told where they are."""

_MOVE_MONEY = frozenset(
    """
    /v1/transfers
    /v1/deposits
    /v1/withdrawals
    /v1/loans/{id}/investments
    /v1/loans/{id}/repayments
    /v1/loans/{id}/payoff
    /v1/admin/ledger/transactions/{id}/reverse
    """.split()  # noqa: SIM905 one a line is easier to read
)


def _keyed(route: Route) -> Route:
    return replace(route, idempotency="required") if route.pattern in _MOVE_MONEY and "POST" in route.methods else route


BUSINESS = [_keyed(route) for route in (*AUTH, *WALLET_LEDGER, *PAYMENTS, *LENDING, *NOTIFICATIONS)]
