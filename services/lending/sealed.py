"""What lending keeps sealed, for `lendery keys rotate-pii`."""

from services.lending.store.assessments import factors_place, inputs_place
from shared.crypto.rotation import SealedColumn

SEALED = (
    SealedColumn("credit_assessments", "inputs", inputs_place("{}"), was_clear=True),
    SealedColumn("credit_assessments", "factors", factors_place("{}"), was_clear=True),
)
