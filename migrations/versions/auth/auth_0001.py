"""Accounts, sessions, mailed links, signing keys, identity checks and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.roles import role_of
from migrations.steps import create_shared_tables

revision = "auth_0001"
down_revision = None
branch_labels = ("auth",)
depends_on = None

_SCHEMA = "auth"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    create_shared_tables(_SCHEMA)
    _create_accounts()
    _create_sessions()
    _create_kyc()
    _create_audit_log()


def _create_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("home_currency", sa.Text, nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        _instant("email_verified_at", nullable=True),
        _instant("password_changed_at", nullable=True),
        _instant("created_at"),
        _instant("updated_at"),
        sa.UniqueConstraint("email", name="users_email_key"),
        sa.CheckConstraint("email = lower(email)", name="users_email_check"),
        sa.CheckConstraint(
            "roles <@ ARRAY['user', 'support', 'admin', 'partner'] AND cardinality(roles) > 0", name="users_roles_check"
        ),
        sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name="users_status_check"),
        schema=_SCHEMA,
    )
    op.create_table(
        "mailed_links",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="mailed_links_user_id_fkey"), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="mailed_links_token_hash_key"),
        sa.CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="mailed_links_purpose_check"),
        schema=_SCHEMA,
    )
    op.create_index("mailed_links_user_id_idx", "mailed_links", ["user_id", "purpose"], schema=_SCHEMA)
    op.create_table(
        "attempts",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        _instant("last_at"),
        _instant("blocked_until", nullable=True),
        sa.PrimaryKeyConstraint("kind", "subject", name="attempts_pkey"),
        schema=_SCHEMA,
    )
    op.create_index("attempts_last_at_idx", "attempts", ["last_at"], schema=_SCHEMA)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="sessions_user_id_fkey"), nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("methods", ARRAY(sa.Text), nullable=False),
        _instant("authenticated_at"),
        _instant("last_used_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        sa.Column("end_reason", sa.Text),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="sessions_end_check"),
        schema=_SCHEMA,
    )
    op.create_index("sessions_user_id_idx", "sessions", ["user_id", "id"], schema=_SCHEMA)
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "session_id",
            sa.Uuid,
            sa.ForeignKey("auth.sessions.id", name="refresh_tokens_session_id_fkey", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("parent_id", sa.Uuid),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="refresh_tokens_token_hash_key"),
        sa.UniqueConstraint("parent_id", name="refresh_tokens_parent_id_key"),
        schema=_SCHEMA,
    )
    op.create_index("refresh_tokens_session_id_idx", "refresh_tokens", ["session_id"], schema=_SCHEMA)
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("public_jwk", JSONB, nullable=False),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        _instant("created_at"),
        _instant("retired_at", nullable=True),
        _instant("revoked_at", nullable=True),
        schema=_SCHEMA,
    )


def _create_kyc() -> None:
    op.create_table(
        "kyc_submissions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="kyc_submissions_user_id_fkey"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        _instant("submitted_at"),
        _instant("decided_at", nullable=True),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("status IN ('pending', 'approved', 'rejected')", name="kyc_submissions_status_check"),
        sa.CheckConstraint("(status = 'pending') = (decided_at IS NULL)", name="kyc_submissions_decided_check"),
        sa.CheckConstraint("(status = 'rejected') = (reason IS NOT NULL)", name="kyc_submissions_reason_check"),
        schema=_SCHEMA,
    )
    op.create_index("kyc_submissions_user_id_idx", "kyc_submissions", ["user_id", "id"], schema=_SCHEMA)
    op.create_index("kyc_submissions_status_idx", "kyc_submissions", ["status", "id"], schema=_SCHEMA)
    op.create_index(
        "kyc_submissions_open_key",
        "kyc_submissions",
        ["user_id"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "kyc_documents",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "submission_id",
            sa.Uuid,
            sa.ForeignKey("auth.kyc_submissions.id", name="kyc_documents_submission_id_fkey"),
            nullable=False,
        ),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("kyc_documents_submission_id_idx", "kyc_documents", ["submission_id"], schema=_SCHEMA)


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        _instant("happened_at"),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("address", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        sa.UniqueConstraint("id", name="audit_log_id_key"),
        schema=_SCHEMA,
    )
    op.create_index("audit_log_actor_id_idx", "audit_log", ["actor_id", "id"], schema=_SCHEMA)
    op.create_index("audit_log_subject_id_idx", "audit_log", ["subject_id", "id"], schema=_SCHEMA)
    op.execute("""
        CREATE FUNCTION auth.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON auth.audit_log
        FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON auth.audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()
    """)
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON auth.audit_log FROM "{role_of(_SCHEMA)}"')
