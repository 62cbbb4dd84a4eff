"""The first tables of the sandbox provider."""

import sqlalchemy as sa
from alembic import op

revision = "sandbox_0001"
down_revision = None
branch_labels = ("sandbox",)
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("return_url", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.CheckConstraint("amount_minor > 0", name="payments_amount_check"),
        sa.CheckConstraint("status IN ('pending', 'succeeded', 'declined', 'expired')", name="payments_status_check"),
        schema="sandbox",
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("settles_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.CheckConstraint("amount_minor > 0", name="payouts_amount_check"),
        sa.CheckConstraint("status IN ('processing', 'succeeded', 'failed')", name="payouts_status_check"),
        schema="sandbox",
    )
    op.create_index(
        "payouts_due_idx", "payouts", ["settles_at"], schema="sandbox", postgresql_where=sa.text("status = 'processing'")
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("next_attempt_at", _INSTANT),
        sa.Column("delivered_at", _INSTANT),
        sa.Column("last_error", sa.Text),
        schema="sandbox",
    )
    op.create_index(
        "webhooks_due_idx",
        "webhooks",
        ["next_attempt_at"],
        schema="sandbox",
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
