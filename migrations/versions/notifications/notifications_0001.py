"""The notifications schema: contacts, the in-app feed, e-mails.

Revision ID: notifications_0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.steps import create_shared_tables

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = None

_SCHEMA = "notifications"
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table."""
    create_shared_tables(_SCHEMA)
    op.create_table(
        "contacts",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("as_of", _INSTANT, nullable=False),
        schema=_SCHEMA,
    )
    _create_notifications()
    _create_emails()


def _create_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("read_at", _INSTANT),
        sa.UniqueConstraint("event_id", "user_id", name="notifications_event_id_user_id_key"),
        schema=_SCHEMA,
    )
    newest_first: list[str | sa.TextClause] = ["user_id", sa.text("id DESC")]
    op.create_index("notifications_user_id_id_idx", "notifications", [*newest_first], schema=_SCHEMA)
    op.create_index(
        "notifications_unread_idx",
        "notifications",
        [*newest_first],
        schema=_SCHEMA,
        postgresql_where=sa.text("read_at IS NULL"),
    )


def _create_emails() -> None:
    op.create_table(
        "emails",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_attempt_at", _INSTANT, nullable=False),
        sa.Column("give_up_at", _INSTANT, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.UniqueConstraint("dedupe_key", name="emails_dedupe_key_key"),
        sa.CheckConstraint("status IN ('pending', 'sent', 'failed')", name="emails_status_check"),
        sa.CheckConstraint("(status = 'pending') = (settled_at IS NULL)", name="emails_settled_at_check"),
        sa.CheckConstraint("status <> 'pending' OR content IS NOT NULL", name="emails_content_check"),
        schema=_SCHEMA,
    )
    op.create_index(
        "emails_due_idx",
        "emails",
        ["next_attempt_at", "id"],
        schema=_SCHEMA,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "emails_content_idx",
        "emails",
        ["settled_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("content IS NOT NULL"),
    )


def downgrade() -> None:
    """There is nothing before this."""
    for table in ("emails", "notifications", "contacts"):
        op.drop_table(table, schema=_SCHEMA)
