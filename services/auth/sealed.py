"""What auth keeps sealed, for `lendery keys rotate-pii`."""

from shared.crypto.rotation import SealedColumn

SEALED = (
    SealedColumn("users", "full_name", "auth.users.full_name:{}", was_clear=True),
    SealedColumn("users", "phone", "auth.users.phone:{}", was_clear=True),
    SealedColumn("kyc_submissions", "details", "auth.kyc_submissions.details:{}"),
    SealedColumn("second_factors", "secret", "auth.second_factors.secret:{}"),
    SealedColumn("sent_codes", "sent_to", "auth.sent_codes.sent_to:{}"),
    SealedColumn("sign_on_attempts", "secrets", "auth.sign_on_attempts.secrets:{}"),
    SealedColumn("signing_keys", "private_key", "auth.signing_keys.private_key:{}"),
    SealedColumn("privacy_requests", "secret", "auth.privacy_requests.secret:{}"),
)

FILES = """
SELECT 'kyc/' || submission_id || '/' || id FROM kyc_documents
UNION ALL SELECT 'exports/' || id || '/archive' FROM privacy_requests WHERE status = 'ready'
"""
"""The names of sealed files."""
