"""The public address space of Lendery, as data: docs/, the access tests and the proxy all read this table.

A row is the methods and the pattern; a path of the public contract whose service does not have it yet leads there all
the same, and the service answers 404.
"""

from dataclasses import replace

from gateway.auth_routes import AUTH
from gateway.own_limits import with_own_limits
from gateway.routing import Route
from gateway.rows import (
    ADMIN,
    FILES_BYTES,
    LISTS_KEPT,
    OPERATORS,
    REPORT_SECONDS,
    SETTLEMENTS_BYTES,
    STREAM_SECONDS,
    WHOLE_LEDGER_SECONDS,
    rows,
    scoped,
)

WALLET_LEDGER = [
    *scoped(
        "wallets",
        [
            *rows(
                "wallet_ledger",
                """
                GET,POST /v1/wallets
                GET,DELETE /v1/wallets/{id}
                GET /v1/wallets/{id}/entries
                GET /v1/wallets/{id}/balance
                GET /v1/transactions/{id}
                """,
            ),
            *rows("wallet_ledger", "GET /v1/wallets/{id}/statement", limit="heavy", timeout_seconds=REPORT_SECONDS),
        ],
    ),
    *scoped("transfers", rows("wallet_ledger", "POST /v1/transfers")),
    *rows("wallet_ledger", "GET /.well-known/ledger-keys.json", public=True, limit="public"),
    *rows(
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
        roles=OPERATORS,
        timeout_seconds=REPORT_SECONDS,
    ),
    *rows("wallet_ledger", "POST /v1/admin/ledger/transactions/{id}/reverse", roles=ADMIN),
    *rows(
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
        roles=ADMIN,
    ),
    *rows(
        "wallet_ledger",
        """
        POST /v1/admin/ledger/verify
        POST /v1/admin/ledger/reconciliations
        """,
        roles=ADMIN,
        limit="heavy",
        timeout_seconds=WHOLE_LEDGER_SECONDS,
    ),
]

PAYMENTS = [
    *scoped(
        "payments",
        rows(
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
    *rows("payments", "GET /v1/payment-providers", public=True, limit="public", cache=LISTS_KEPT),
    *rows("payments", "GET,POST /v1/webhooks/{provider}", public=True, limit="webhook", signed=True),
    *rows(
        "payments",
        """
        POST /v1/admin/deposits/{id}/refund
        POST /v1/admin/withdrawals/{id}/retry
        """,
        roles=ADMIN,
    ),
    *rows(
        "payments",
        """
        GET /v1/admin/reconciliation
        GET /v1/admin/reconciliation/{id}/items
        """,
        roles=OPERATORS,
        timeout_seconds=REPORT_SECONDS,
    ),
    *rows("payments", "POST /v1/admin/reconciliation", roles=ADMIN, limit="heavy", timeout_seconds=REPORT_SECONDS),
    *rows("payments", "GET /v1/admin/reconciliation/files", roles=OPERATORS),
    *rows(
        "payments",
        "POST /v1/admin/reconciliation/files",
        roles=ADMIN,
        limit="heavy",
        timeout_seconds=REPORT_SECONDS,
        body_limit_bytes=SETTLEMENTS_BYTES,
    ),
]

LENDING = [
    *rows("lending", "POST /v1/loans/quote", public=True, limit="public"),
    *scoped(
        "loans",
        [
            *rows(
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
            *rows("lending", "POST /v1/credit-assessments", body_limit_bytes=FILES_BYTES),
        ],
    ),
    *scoped(
        "investments",
        rows(
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
    *scoped(
        "assets",
        [
            *rows(
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
            *rows(
                "lending",
                """
                GET,POST /v1/assets/{id}/images
                GET,DELETE /v1/assets/{id}/images/{image_id}
                """,
                body_limit_bytes=FILES_BYTES,
            ),
        ],
    ),
    *rows(
        "lending",
        """
        POST /v1/admin/loans/{id}/approve
        POST /v1/admin/loans/{id}/decline
        """,
        roles=ADMIN,
    ),
    *rows(
        "lending",
        "POST /v1/admin/close-of-business",
        roles=ADMIN,
        limit="heavy",
        timeout_seconds=WHOLE_LEDGER_SECONDS,
    ),
    *rows("lending", "GET /v1/admin/close-of-business", roles=ADMIN, timeout_seconds=REPORT_SECONDS),
    *rows(
        "lending",
        """
        GET /v1/admin/treasury
        GET /v1/admin/reports/summary
        GET /v1/admin/reports/timeseries
        """,
        roles=OPERATORS,
        timeout_seconds=REPORT_SECONDS,
    ),
]

NOTIFICATIONS = [
    *rows(
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
    *rows("notifications", "GET /v1/stream", timeout_seconds=STREAM_SECONDS),
    *scoped(
        "webhooks",
        rows(
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
    *rows("notifications", "GET /v1/event-types", public=True, limit="public", cache=LISTS_KEPT),
]

PAGES = [
    *rows("sandbox", "GET,POST /sandbox/*", public=True, limit="page"),
    *rows("mailbox", "GET,POST,DELETE /mailbox", public=True, limit="page"),
    *rows("mailbox", "GET,POST,DELETE /mailbox/*", public=True, limit="page"),
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


BUSINESS = with_own_limits(_keyed(route) for route in (*AUTH, *WALLET_LEDGER, *PAYMENTS, *LENDING, *NOTIFICATIONS))
