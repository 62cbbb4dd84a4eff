"""The collection that every table of the schema `auth` is declared in, whichever module declares it."""

import sqlalchemy as sa

from shared.db.tables import add_shared_tables

metadata = sa.MetaData(schema="auth")
add_shared_tables(metadata)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column for a point in time."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
