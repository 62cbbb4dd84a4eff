"""What payments keeps sealed, for `lendery keys rotate-pii`."""

from shared.crypto.rotation import SealedColumn

SEALED = (
    SealedColumn("withdrawals", "destination_encrypted", "withdrawals.destination:{}"),
    SealedColumn("payout_destinations", "destination_encrypted", "payout_destinations.destination:{}"),
)
