"""The table of a service's sagas."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("clock_timestamp()")


def add_sagas_table(metadata: MetaData) -> Table:
    """Add `sagas` to a service's metadata; `migrations.steps.create_sagas_table` creates it."""
    table = Table(
        "sagas",
        metadata,
        Column("kind", Text, nullable=False),
        Column("id", Uuid, nullable=False),
        Column("state", Text, nullable=False),
        Column("data", JSONB, nullable=False),
        Column("deadline_at", DateTime(timezone=True)),
        Column("version", BigInteger, nullable=False, server_default=text("0")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        PrimaryKeyConstraint("kind", "id", name="sagas_pkey"),
    )
    Index("sagas_due_idx", table.c.kind, table.c.deadline_at, postgresql_where=text("deadline_at IS NOT NULL"))
    return table
