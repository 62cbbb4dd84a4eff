"""API clients, identities of other providers, single sign-on under way, role grants; links to change an e-mail address."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "auth_0004"
down_revision = "auth_0003"
branch_labels = None
depends_on = None

_SCHEMA = "auth"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    _create_api_clients()
    _create_single_sign_on()
    _create_role_grants()
    op.drop_constraint("mailed_links_purpose_check", "mailed_links", schema=_SCHEMA)
    op.create_check_constraint(
        "mailed_links_purpose_check",
        "mailed_links",
        "purpose IN ('verify_email', 'reset_password', 'change_email', 'link_identity')",
        schema=_SCHEMA,
    )


def _create_api_clients() -> None:
    op.create_table(
        "api_clients",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="api_clients_owner_id_fkey"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Uuid, nullable=False),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("previous_secret_hash", sa.LargeBinary),
        _instant("previous_secret_expires_at", nullable=True),
        _instant("created_at"),
        _instant("updated_at"),
        _instant("expires_at", nullable=True),
        _instant("last_used_at", nullable=True),
        sa.Column("last_used_address", sa.Text),
        sa.CheckConstraint("status IN ('active', 'disabled')", name="api_clients_status_check"),
        sa.CheckConstraint("cardinality(scopes) > 0", name="api_clients_scopes_check"),
        sa.CheckConstraint("requests_per_minute > 0", name="api_clients_requests_per_minute_check"),
        sa.CheckConstraint(
            "(previous_secret_hash IS NULL) = (previous_secret_expires_at IS NULL)", name="api_clients_previous_secret_check"
        ),
        schema=_SCHEMA,
    )
    op.create_index("api_clients_owner_id_idx", "api_clients", ["owner_id", "id"], schema=_SCHEMA)


def _create_single_sign_on() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="identities_user_id_fkey"), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        _instant("linked_at"),
        _instant("last_used_at", nullable=True),
        sa.UniqueConstraint("issuer", "subject", name="identities_issuer_subject_key"),
        sa.UniqueConstraint("user_id", "issuer", name="identities_user_id_issuer_key"),
        schema=_SCHEMA,
    )
    op.create_table(
        "sign_on_attempts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("state_hash", sa.LargeBinary, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("challenge", sa.Text),
        sa.Column("for_user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="sign_on_attempts_for_user_id_fkey")),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("returned_at", nullable=True),
        sa.Column("code_hash", sa.LargeBinary),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="sign_on_attempts_user_id_fkey")),
        _instant("code_expires_at", nullable=True),
        _instant("code_used_at", nullable=True),
        sa.UniqueConstraint("state_hash", name="sign_on_attempts_state_hash_key"),
        sa.UniqueConstraint("code_hash", name="sign_on_attempts_code_hash_key"),
        sa.CheckConstraint(
            "(code_hash IS NULL) = (user_id IS NULL) AND (code_hash IS NULL) = (code_expires_at IS NULL)",
            name="sign_on_attempts_code_check",
        ),
        schema=_SCHEMA,
    )
    op.create_index("sign_on_attempts_expires_at_idx", "sign_on_attempts", ["expires_at"], schema=_SCHEMA)
    op.create_table(
        "identity_confirmations",
        sa.Column(
            "link_id",
            sa.Uuid,
            sa.ForeignKey("auth.mailed_links.id", name="identity_confirmations_link_id_fkey", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        schema=_SCHEMA,
    )


def _create_role_grants() -> None:
    op.create_table(
        "role_grants",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="role_grants_user_id_fkey"), nullable=False),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Uuid, nullable=False),
        _instant("requested_at"),
        _instant("expires_at"),
        sa.Column("decided_by", sa.Uuid),
        _instant("decided_at", nullable=True),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("status IN ('awaiting_approval', 'approved', 'declined', 'expired')", name="role_grants_status_check"),
        sa.CheckConstraint("(status = 'awaiting_approval') = (decided_at IS NULL)", name="role_grants_decided_check"),
        sa.CheckConstraint("requested_by <> user_id", name="role_grants_requested_by_check"),
        sa.CheckConstraint(
            "decided_by IS NULL OR (decided_by <> requested_by AND decided_by <> user_id) OR status = 'declined'",
            name="role_grants_second_person_check",
        ),
        schema=_SCHEMA,
    )
    op.create_index("role_grants_status_idx", "role_grants", ["status", "id"], schema=_SCHEMA)
    op.create_index(
        "role_grants_open_key",
        "role_grants",
        ["user_id"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("status = 'awaiting_approval'"),
    )
