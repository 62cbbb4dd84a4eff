"""What `lendery verify` recomputes of the ledger."""

from collections.abc import Sequence

from services.wallet_ledger.queries.verification import LEDGER_CHECKS
from shared.verification import Check

CHECKS: Sequence[Check] = LEDGER_CHECKS
