"""Resets of second factors that are all lost; what companies that check identities tell us; factors given elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "auth_0007"
down_revision = "auth_0006"
branch_labels = None
depends_on = None

_SCHEMA = "auth"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    _create_factor_resets()
    _follow_identity_providers()
    op.add_column(
        "sign_on_attempts",
        sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.text("false")),
        schema=_SCHEMA,
    )


def _create_factor_resets() -> None:
    op.create_table(
        "factor_resets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="factor_resets_user_id_fkey"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Uuid, nullable=False),
        _instant("requested_at"),
        _instant("expires_at"),
        sa.Column("approved_by", sa.Uuid),
        _instant("approved_at", nullable=True),
        _instant("due_at", nullable=True),
        sa.Column("ended_by", sa.Uuid),
        _instant("ended_at", nullable=True),
        sa.Column("end_reason", sa.Text),
        sa.CheckConstraint(
            "status IN ('awaiting_approval', 'waiting', 'done', 'declined', 'stopped', 'expired', 'void')",
            name="factor_resets_status_check",
        ),
        sa.CheckConstraint("(status IN ('awaiting_approval', 'waiting')) = (ended_at IS NULL)", name="factor_resets_ended_check"),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (due_at IS NULL)",
            name="factor_resets_approved_check",
        ),
        sa.CheckConstraint(
            "status NOT IN ('waiting', 'done') OR approved_by IS NOT NULL", name="factor_resets_approval_needed_check"
        ),
        sa.CheckConstraint(
            "requested_by <> user_id AND approved_by <> user_id AND approved_by <> requested_by",
            name="factor_resets_second_person_check",
        ),
        schema=_SCHEMA,
    )
    op.create_index("factor_resets_status_idx", "factor_resets", ["status", "id"], schema=_SCHEMA)
    op.create_index("factor_resets_user_id_idx", "factor_resets", ["user_id", "id"], schema=_SCHEMA)
    op.create_index(
        "factor_resets_open_key",
        "factor_resets",
        ["user_id"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("status IN ('awaiting_approval', 'waiting')"),
    )
    op.drop_constraint("mailed_links_purpose_check", "mailed_links", schema=_SCHEMA)
    op.create_check_constraint(
        "mailed_links_purpose_check",
        "mailed_links",
        "purpose IN ('verify_email', 'reset_password', 'change_email', 'link_identity', 'stop_factor_reset')",
        schema=_SCHEMA,
    )


def _follow_identity_providers() -> None:
    op.add_column("kyc_submissions", _instant("next_check_at", nullable=True), schema=_SCHEMA)
    op.create_table(
        "kyc_events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("event_key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        _instant("received_at"),
        sa.UniqueConstraint("provider", "event_key", name="kyc_events_provider_event_key_key"),
        schema=_SCHEMA,
    )
    op.create_index("kyc_events_received_at_idx", "kyc_events", ["received_at"], schema=_SCHEMA)
