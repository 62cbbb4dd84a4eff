"""Table declarations that every service repeats in its own schema."""

from sqlalchemy import MetaData

from shared.idempotency.store import add_idempotency_table
from shared.messaging.tables import add_messaging_tables


def add_shared_tables(metadata: MetaData) -> None:
    """Declare outbox, inbox, dead letters and idempotency keys; `migrations.steps.create_shared_tables` creates them."""
    add_messaging_tables(metadata)
    add_idempotency_table(metadata)
