"""People are found by a keyed index. The hashes that are there are sealed, and get theirs, when the service starts: a migration
has no keys."""

from alembic import op

revision = "wallet_ledger_0005"
down_revision = "wallet_ledger_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE wallet_ledger.people
            DROP CONSTRAINT people_email_hash_check,
            ADD COLUMN email_index bytea CONSTRAINT people_email_index_check CHECK (octet_length(email_index) = 32)
    """)
    op.execute("DROP INDEX wallet_ledger.people_email_hash_idx")
    op.execute("CREATE INDEX people_email_index_idx ON wallet_ledger.people (email_index)")
