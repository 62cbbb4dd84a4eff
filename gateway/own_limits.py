"""Routes with a limit of their own, beside that of their class: what costs much, sends something to somebody, or tries secrets.

Nobody who uses Lendery meets one. Those of public routes count an address, behind which a whole office or a mobile network may
be; the others count a person. Accounts are guarded by the auth service itself, which counts tries over all addresses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.limits import Limit
from gateway.routing import Route

OWN_LIMITS: Mapping[str, Limit] = {
    "login": Limit(90, 60),
    "register": Limit(60, 600),
    "letter": Limit(30, 600),
    "quote": Limit(200, 60),
    "report": Limit(30, 60),
    "export": Limit(10, 3600),
    "upload": Limit(60, 600),
    "probe": Limit(20, 60),
}
"""`letter`: what sends an e-mail or a message to a telephone. `report`: what is computed over a long time or the whole platform.
`probe`: what makes us call an address of the client's choice."""

_ROWS = """
login    POST /v1/auth/login
login    POST /v1/auth/login/mfa
login    POST /v1/auth/passkeys/login
login    POST /v1/auth/token
register POST /v1/auth/register
letter   POST /v1/auth/password/forgot
letter   POST /v1/auth/login/mfa/challenge
letter   POST /v1/auth/email/resend
letter   POST /v1/auth/email/change
letter   POST /v1/auth/phone/verify
letter   POST /v1/auth/step-up/challenge
quote    POST /v1/loans/quote
report   GET  /v1/wallets/{id}/statement
report   GET  /v1/admin/audit-log/export
report   GET  /v1/admin/reports/summary
report   GET  /v1/admin/reports/timeseries
export   GET  /v1/me/export
upload   POST /v1/kyc
upload   POST /v1/credit-assessments
upload   POST /v1/assets/{id}/images
probe    POST /v1/webhook-endpoints/{id}/test
probe    POST /v1/webhook-deliveries/{id}/replay
"""
_BY_ROUTE = {(method, pattern): limit for limit, method, pattern in (row.split() for row in _ROWS.strip().splitlines())}


def with_own_limits(routes: Iterable[Route]) -> list[Route]:
    """The same routes, each with its own limit where it has one: a method that has one becomes a route apart."""
    result = []
    for route in routes:
        limited = {method for method in route.methods if (method, route.pattern) in _BY_ROUTE}
        if others := route.methods - limited:
            result.append(replace(route, methods=others))
        result += [
            replace(route, methods=frozenset({method}), own_limit=_BY_ROUTE[method, route.pattern]) for method in sorted(limited)
        ]
    return result
