"""What auth has of a person: how it is exported and forgotten."""

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from services.auth.store.api_clients import open_api_client
from services.auth.store.identities import open_identity
from services.auth.store.sessions import open_session
from services.auth.store.unit_of_work import AuthUnitOfWork
from services.auth.store.users import open_account
from shared.privacy import Files, PersonalData

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}
KYC_KEPT_YEARS = 5
"""How long after the end of the relation an identity that was confirmed is kept: what laws against money laundering ask."""


async def _identity_checks(context: Any, work: AuthUnitOfWork, user_id: UUID) -> Files:
    """Sealed details and files, opened for their owner."""
    files: Files = {"identity_checks.json": []}
    for submission in await work.kyc.of_user(user_id):
        row = asdict(submission)
        for hidden in ("claimed_by", "claimed_at", "provider_reference", "next_check_at", "user_id"):
            row.pop(hidden)
        files["identity_checks.json"].append(row)
        for document in await work.kyc.documents_of(submission.id):
            name = f"documents/{document.id}.{_EXTENSIONS.get(document.media_type, 'bin')}"
            files[name] = await context.files.get(document.file_key(submission.id))
    return files


async def forget_identity(work: AuthUnitOfWork, user_id: UUID) -> tuple[dict[str, int], list[str]]:
    """Delete identity checks that were never confirmed; the rest gets its last day. What was done, and files to delete."""
    deleted, files = 0, []
    last_day = _years_later(work.now.date())
    for submission in await work.kyc.of_user(user_id):
        if submission.level is not None:
            await work.kyc.purge_on(submission.id, last_day)
            continue
        files += [document.file_key(submission.id) for document in await work.kyc.documents_of(submission.id)]
        await work.kyc.delete(submission.id)
        deleted += 1
    return {"identity_checks": deleted, "identity_documents": len(files)}, files


def _years_later(day: date) -> date:
    return date(day.year + KYC_KEPT_YEARS, day.month, min(day.day, 28))


PERSONAL_DATA = PersonalData(
    service="auth",
    exported={
        "account": """SELECT id, email, full_name, phone, language, time_zone, home_currency, roles, status, email_verified_at,
            phone_verified_at, password_changed_at, created_at, updated_at FROM users WHERE id = $1""",
        "sessions": """SELECT id, device, address, methods, authenticated_at, last_used_at, expires_at, ended_at, end_reason
            FROM sessions WHERE user_id = $1 ORDER BY id DESC""",
        "second_factors": """SELECT method, created_at, confirmed_at, last_used_at FROM second_factors
            WHERE user_id = $1 ORDER BY created_at""",
        "passkeys": "SELECT name, transports, created_at, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY id",
        "sign_on_identities": """SELECT id, provider, issuer, subject, email, linked_at, last_used_at FROM identities
            WHERE user_id = $1 ORDER BY id""",
        "api_clients": """SELECT id, name, scopes, status, created_at, last_used_at, last_used_address FROM api_clients
            WHERE owner_id = $1 ORDER BY id""",
        "role_grants": """SELECT roles, status, requested_at, decided_at, reason FROM role_grants
            WHERE user_id = $1 ORDER BY id""",
        "factor_resets": """SELECT status, reason, requested_at, approved_at, due_at, ended_at, end_reason FROM factor_resets
            WHERE user_id = $1 ORDER BY id""",
        "actions": """SELECT happened_at, service, action, subject_kind, subject_id, address FROM audit_log
            WHERE actor_id = $1 ORDER BY position DESC""",
        "requests": """SELECT id, kind, status, requested_at, settled_at FROM privacy_requests
            WHERE user_id = $1 ORDER BY id""",
    },
    opened={
        "account": open_account,
        "sessions": open_session,
        "sign_on_identities": open_identity,
        "api_clients": open_api_client,
    },
    extra_files=_identity_checks,
    erased={
        "recovery_codes": "DELETE FROM recovery_codes WHERE user_id = $1",
        "second_factors": "DELETE FROM second_factors WHERE user_id = $1",
        "sent_codes": "DELETE FROM sent_codes WHERE user_id = $1",
        "pending_logins": "DELETE FROM pending_logins WHERE user_id = $1",
        "passkeys": "DELETE FROM passkeys WHERE user_id = $1",
        "factor_resets": "UPDATE factor_resets SET reason = 'Erased', end_reason = NULL WHERE user_id = $1",
        "passkey_challenges": "DELETE FROM passkey_challenges WHERE user_id = $1",
        "sign_on_attempts": "DELETE FROM sign_on_attempts WHERE for_user_id = $1",
        "sign_on_identities": "DELETE FROM identities WHERE user_id = $1",
        "mailed_links": "DELETE FROM mailed_links WHERE user_id = $1",
        "sessions": """UPDATE sessions SET device = '', address = '', address_index = NULL
            WHERE user_id = $1 AND (device, address) <> ('', '')""",
        "api_clients": """UPDATE api_clients SET name = 'Erased', status = 'disabled', last_used_address = NULL
            WHERE owner_id = $1""",
    },
    kept={
        "account": "the id alone, with a made-up address: the ledger and the audit log refer to it",
        "audit_log": "who did what, by id, and from which address: security, and the proof that nobody touched the log",
        "identity_checks": f"confirmed ones, sealed, for {KYC_KEPT_YEARS} years: laws against money laundering",
        "role_grants": "by id: who let whom do what",
        "factor_resets": "by id: which operators gave whom a new way in",
        "privacy_requests": "the signed report of the erasure itself",
    },
)
