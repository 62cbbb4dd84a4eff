"""Where people have their money paid out to: destinations that they save, and which one a withdrawal went to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "payments_0004"
down_revision = "payments_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payout_destinations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("destination_encrypted", sa.LargeBinary, nullable=False),
        sa.Column("destination_masked", JSONB, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("usable_from", sa.DateTime(timezone=True), nullable=False),
        sa.Index("payout_destinations_user_idx", "user_id", "id"),
        schema="payments",
    )
    op.execute("ALTER TABLE payments.withdrawals ADD COLUMN payout_destination_id uuid")
