"""What came of comparing providers' reports with our books."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class ReconciliationDifferencesFound(Event):
    """A provider's report of a day and our books do not say the same: people must look. Told once for each new finding."""

    type: ClassVar[str] = "payments.reconciliation.differences_found"

    run_id: UUID
    provider: str
    day: date
    missing: int
    surplus: int
    amount_mismatch: int
