"""What wallet-ledger keeps sealed, for `lendery keys rotate-pii`."""

from services.wallet_ledger.store.people import EMAIL_INDEX, hash_place
from shared.crypto.rotation import SealedColumn

SEALED = (SealedColumn("people", "email_hash", hash_place("{}"), key="user_id", was_clear=True, index=EMAIL_INDEX),)
