"""Text messages to send and sent."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0002"
down_revision = "notifications_0001"
branch_labels = None
depends_on = None

_SCHEMA = "notifications"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "texts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_attempt_at", _INSTANT, nullable=False),
        sa.Column("give_up_at", _INSTANT, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.CheckConstraint("status IN ('pending', 'sent', 'failed')", name="texts_status_check"),
        sa.CheckConstraint("(status = 'pending') = (settled_at IS NULL)", name="texts_settled_at_check"),
        sa.CheckConstraint("(status = 'pending') = (content IS NOT NULL)", name="texts_content_check"),
        schema=_SCHEMA,
    )
    op.create_index(
        "texts_due_idx",
        "texts",
        ["next_attempt_at", "id"],
        schema=_SCHEMA,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("texts_settled_at_idx", "texts", ["settled_at"], schema=_SCHEMA)


def downgrade() -> None:
    """Without text messages."""
    op.drop_table("texts", schema=_SCHEMA)
