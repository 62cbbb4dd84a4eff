"""Reconciliations know after which transaction they began, and the newest block that they saw.

Those that are there added up everything, and saw no block: the next one hashes all of them.
"""

from alembic import op

revision = "wallet_ledger_0006"
down_revision = "wallet_ledger_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE wallet_ledger.reconciliations
            ADD COLUMN after_sequence bigint NOT NULL DEFAULT 0,
            ADD COLUMN block_number bigint,
            ADD COLUMN block_hash bytea,
            ADD CONSTRAINT reconciliations_block_check CHECK (
                (block_number IS NULL) = (block_hash IS NULL) AND octet_length(block_hash) = 32
            )
    """)
    for column, meaning in {
        "after_sequence": "only what follows this transaction was added up; 0: everything",
        "block_number": "the newest block, all of whose rows were hashed anew up to here",
    }.items():
        op.execute(f"COMMENT ON COLUMN wallet_ledger.reconciliations.{column} IS '{meaning}'")
