"""Placeholder."""

revision = "wallet_ledger_0004"
down_revision = "wallet_ledger_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
