"""The audit log becomes a chain; identity checks get levels, an end and a queue; exports and erasures; names are sealed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.roles import role_of
from migrations.steps import create_sagas_table

revision = "auth_0005"
down_revision = "auth_0004"
branch_labels = None
depends_on = None

_SCHEMA = "auth"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    _chain_the_audit_log()
    _extend_kyc()
    _create_privacy()
    _seal_people()


def _chain_the_audit_log() -> None:
    """Begin it anew: no release had the old one, and a chain of rows that nobody vouched for would vouch for them."""
    op.drop_table("audit_log", schema=_SCHEMA)
    op.create_table(
        "audit_log",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        _instant("happened_at"),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("trace_id", sa.Text),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("id", name="audit_log_id_key"),
        sa.CheckConstraint("actor_kind IN ('user', 'client', 'system')", name="audit_log_actor_kind_check"),
        schema=_SCHEMA,
    )
    for name, columns in (
        ("actor_id", ["actor_id", "position"]),
        ("subject_id", ["subject_id", "position"]),
        ("action", ["action", "position"]),
        ("request_id", ["request_id"]),
        ("happened_at", ["happened_at"]),
    ):
        op.create_index(f"audit_log_{name}_idx", "audit_log", columns, schema=_SCHEMA)
    op.execute("""
        CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON auth.audit_log
        FOR EACH ROW EXECUTE FUNCTION auth.refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON auth.audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION auth.refuse_change()
    """)
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON auth.audit_log FROM "{role_of(_SCHEMA)}"')
    op.create_table(
        "audit_chain",
        sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.text("true")),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("one", name="audit_chain_one_check"),
        schema=_SCHEMA,
    )
    op.execute(r"INSERT INTO auth.audit_chain (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'))")
    op.execute(f'REVOKE INSERT, DELETE, TRUNCATE ON auth.audit_chain FROM "{role_of(_SCHEMA)}"')


def _extend_kyc() -> None:
    """Documents become files: no release kept any in the table."""
    op.drop_column("kyc_documents", "content", schema=_SCHEMA)
    for column in (
        sa.Column("level", sa.SmallInteger),
        sa.Column("expires_on", sa.Date),
        _instant("reminded_at", nullable=True),
        sa.Column("claimed_by", sa.Uuid),
        _instant("claimed_at", nullable=True),
        sa.Column("provider", sa.Text),
        sa.Column("provider_reference", sa.Text),
        sa.Column("purge_on", sa.Date),
    ):
        op.add_column("kyc_submissions", column, schema=_SCHEMA)
    op.execute("""
        UPDATE auth.kyc_submissions SET level = 2, expires_on = (decided_at + interval '2 years')::date
        WHERE status = 'approved'
    """)
    op.execute("ALTER TABLE auth.kyc_submissions DROP CONSTRAINT kyc_submissions_status_check")
    for name, condition in (
        ("kyc_submissions_status_check", "status IN ('pending', 'approved', 'rejected', 'expired')"),
        (
            "kyc_submissions_level_check",
            "(status IN ('approved', 'expired')) = (level IS NOT NULL AND expires_on IS NOT NULL)",
        ),
    ):
        op.create_check_constraint(name, "kyc_submissions", condition, schema=_SCHEMA)
    op.create_index(
        "kyc_submissions_expires_on_idx",
        "kyc_submissions",
        ["expires_on"],
        schema=_SCHEMA,
        postgresql_where=sa.text("status = 'approved'"),
    )


def _create_privacy() -> None:
    create_sagas_table(_SCHEMA)
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="privacy_requests_user_id_fkey"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        _instant("requested_at"),
        _instant("settled_at", nullable=True),
        _instant("expires_at", nullable=True),
        sa.Column("blockers", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("secret_hash", sa.LargeBinary),
        sa.Column("report", sa.Text),
        sa.UniqueConstraint("secret_hash", name="privacy_requests_secret_hash_key"),
        sa.CheckConstraint("kind IN ('export', 'erasure')", name="privacy_requests_kind_check"),
        sa.CheckConstraint(
            "status IN ('collecting', 'assembling', 'ready', 'failed', 'expired', 'checking', 'erasing', 'erased', 'refused')",
            name="privacy_requests_status_check",
        ),
        schema=_SCHEMA,
    )
    op.create_index("privacy_requests_user_id_idx", "privacy_requests", ["user_id", "kind", "id"], schema=_SCHEMA)
    op.create_index(
        "privacy_requests_open_key",
        "privacy_requests",
        ["user_id", "kind"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("status IN ('collecting', 'assembling', 'checking', 'erasing')"),
    )


def _seal_people() -> None:
    """What is there stays readable until `lendery keys rotate-pii` seals it: a migration has no keys."""
    op.execute("ALTER TABLE auth.users ALTER COLUMN full_name TYPE bytea USING convert_to(full_name, 'UTF8')")
    op.execute("ALTER TABLE auth.users ALTER COLUMN phone TYPE bytea USING convert_to(phone, 'UTF8')")
