"""The public addresses of auth: accounts, sessions, factors, keys, identity checks, operators."""

from gateway.rows import ADMIN, KEYS_KEPT, LARGE_FILE_BYTES, OPERATORS, REPORT_SECONDS, rows

AUTH = [
    *rows(
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
        POST /v1/auth/factor-reset/stop
        POST /v1/auth/email/change/confirm
        POST /v1/auth/passkeys/login
        POST /v1/auth/passkeys/login/options
        """,
        public=True,
        limit="sign_in",
        cookies=True,
    ),
    *rows("auth", "GET,POST /v1/auth/pages/*", public=True, limit="sign_in", cookies=True),
    *rows(
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
        GET,DELETE /v1/auth/factor-reset
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
    *rows(
        "auth",
        """
        GET,POST /v1/api-clients
        GET,PATCH,DELETE /v1/api-clients/{id}
        POST /v1/api-clients/{id}/rotate-secret
        GET,PATCH,DELETE /v1/me
        GET /v1/kyc
        """,
    ),
    *rows("auth", "GET /v1/me/export", limit="heavy", timeout_seconds=REPORT_SECONDS),
    *rows("auth", "GET /v1/auth/erasure-reports/{secret}", public=True, limit="public"),
    *rows("auth", "POST /v1/kyc", body_limit_bytes=LARGE_FILE_BYTES),
    *rows("auth", "POST /v1/webhooks/kyc/{provider}", public=True, limit="webhook", signed=True),
    *rows("auth", "GET /.well-known/jwks.json", public=True, limit="public", cache=KEYS_KEPT),
    *rows(
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
        GET,POST /v1/admin/factor-resets
        GET /v1/admin/factor-resets/{id}
        POST /v1/admin/factor-resets/{id}/decline
        """,
        roles=OPERATORS,
    ),
    *rows(
        "auth",
        """
        PATCH /v1/admin/users/{id}
        GET /v1/admin/audit-log
        GET /v1/admin/role-grants
        POST /v1/admin/role-grants/{id}/approve
        POST /v1/admin/role-grants/{id}/decline
        POST /v1/admin/factor-resets/{id}/approve
        GET /v1/admin/signing-keys
        POST /v1/admin/signing-keys/rotate
        POST /v1/admin/signing-keys/{id}/revoke
        """,
        roles=ADMIN,
    ),
    *rows("auth", "GET /v1/admin/audit-log/export", roles=ADMIN, limit="heavy", timeout_seconds=REPORT_SECONDS),
]
