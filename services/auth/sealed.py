"""What auth keeps sealed, for `lendery keys rotate-pii`."""

from services.auth.store.sessions import ADDRESS_INDEX
from services.auth.store.users import EMAIL_INDEX
from shared.crypto.rotation import SealedColumn

FOUND_BY_INDEX = (SealedColumn("users", "email", "auth.users.email:{}", was_clear=True, index=EMAIL_INDEX),)
"""What must be sealed before anybody can be found by it."""

SEALED = (
    SealedColumn("users", "full_name", "auth.users.full_name:{}", was_clear=True),
    SealedColumn("users", "phone", "auth.users.phone:{}", was_clear=True),
    *FOUND_BY_INDEX,
    SealedColumn("sessions", "device", "auth.sessions.device:{}", was_clear=True),
    SealedColumn("sessions", "address", "auth.sessions.address:{}", was_clear=True, index=ADDRESS_INDEX),
    SealedColumn("mailed_links", "email", "auth.mailed_links.email:{}", was_clear=True),
    SealedColumn("identities", "email", "auth.identities.email:{}", was_clear=True),
    SealedColumn("api_clients", "last_used_address", "auth.api_clients.last_used_address:{}", was_clear=True),
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
