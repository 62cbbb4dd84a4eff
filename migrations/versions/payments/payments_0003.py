"""How much somebody may pay in and out a day."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0003"
down_revision = "payments_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "daily_limits",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("deposits_major", sa.BigInteger),
        sa.Column("withdrawals_major", sa.BigInteger),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        schema="payments",
    )
