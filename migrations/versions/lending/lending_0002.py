"""Placeholder."""

revision = "lending_0002"
down_revision = "lending_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
