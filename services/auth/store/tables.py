"""Every table of the schema `auth`, as the migrations create them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.auth.store.access_tables import api_clients, identities, identity_confirmations, role_grants, sign_on_attempts
from services.auth.store.kyc_tables import kyc_documents, kyc_events, kyc_submissions
from services.auth.store.metadata import metadata
from services.auth.store.privacy_tables import privacy_requests, sagas

__all__ = [
    "api_clients",
    "identities",
    "identity_confirmations",
    "kyc_documents",
    "kyc_events",
    "kyc_submissions",
    "metadata",
    "privacy_requests",
    "role_grants",
    "sagas",
    "sign_on_attempts",
]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.LargeBinary, nullable=False),  # sealed, as are `full_name` and `phone`
    sa.Column("password_hash", sa.Text),
    sa.Column("full_name", sa.LargeBinary, nullable=False),
    sa.Column("phone", sa.LargeBinary),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("home_currency", sa.Text, nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _instant("email_verified_at", nullable=True),
    _instant("password_changed_at", nullable=True),
    _instant("phone_verified_at", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    # Keyed: an address is found by it, and has one account. None only while what is there from before is not sealed.
    sa.Column("email_index", sa.LargeBinary),
    sa.UniqueConstraint("email_index", name="users_email_index_key"),
    sa.CheckConstraint("octet_length(email_index) = 32", name="users_email_index_check"),
    sa.CheckConstraint(
        "roles <@ ARRAY['user', 'support', 'admin', 'partner'] AND cardinality(roles) > 0", name="users_roles_check"
    ),
    sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name="users_status_check"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey(users.c.id, name="sessions_user_id_fkey"), nullable=False),
    sa.Column("device", sa.LargeBinary, nullable=False),  # sealed, as is `address`; empty once erased
    sa.Column("address", sa.LargeBinary, nullable=False),
    sa.Column("methods", ARRAY(sa.Text), nullable=False),
    _instant("authenticated_at"),
    _instant("mfa_at", nullable=True),
    _instant("last_used_at"),
    _instant("expires_at"),
    _instant("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("address_index", sa.LargeBinary),  # keyed, of the address and its person
    sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="sessions_end_check"),
    sa.CheckConstraint("carrier IN ('bearer', 'cookie')", name="sessions_carrier_check"),
    sa.Index("sessions_user_id_idx", "user_id", "id"),
)
sa.Index("sessions_ended_at_idx", sessions.c.ended_at, postgresql_where=sa.text("ended_at IS NOT NULL"))

# What API clients have instead of sessions, once it was ended.
ended_grants = sa.Table(
    "ended_grants",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _instant("ended_at"),
    sa.Index("ended_grants_ended_at_idx", "ended_at"),
)

# One row a token ever issued. A family is a session; a parent has one child at most.
refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "session_id",
        sa.Uuid,
        sa.ForeignKey(sessions.c.id, name="refresh_tokens_session_id_fkey", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("parent_id", sa.Uuid),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    _instant("expires_at"),
    _instant("used_at", nullable=True),
    sa.UniqueConstraint("token_hash", name="refresh_tokens_token_hash_key"),
    sa.UniqueConstraint("parent_id", name="refresh_tokens_parent_id_key"),
    sa.Index("refresh_tokens_session_id_idx", "session_id"),
)

# Single-use secrets sent by e-mail. `email` is the address that the secret was sent to, sealed.
mailed_links = sa.Table(
    "mailed_links",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey(users.c.id, name="mailed_links_user_id_fkey"), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("email", sa.LargeBinary, nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("used_at", nullable=True),
    sa.UniqueConstraint("token_hash", name="mailed_links_token_hash_key"),
    sa.CheckConstraint(
        "purpose IN ('verify_email', 'reset_password', 'change_email', 'link_identity', 'stop_factor_reset')",
        name="mailed_links_purpose_check",
    ),
    sa.Index("mailed_links_user_id_idx", "user_id", "purpose"),
)

# Counters that slow guessing down. `subject` is keyed, so that no address or e-mail can be told from it.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.LargeBinary, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    _instant("last_at"),
    _instant("blocked_until", nullable=True),
    sa.PrimaryKeyConstraint("kind", "subject", name="attempts_pkey"),
    sa.Index("attempts_last_at_idx", "last_at"),
)

# A key signs from `activates_at` until it is retired. Its sealed private half is gone once it can sign no more.
signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("public_jwk", JSONB, nullable=False),
    sa.Column("private_key", sa.LargeBinary),
    _instant("created_at"),
    _instant("activates_at"),
    _instant("retired_at", nullable=True),
    _instant("revoked_at", nullable=True),
    sa.Column("revoke_reason", sa.Text),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="signing_keys_revoked_check"),
    sa.CheckConstraint("revoked_at IS NULL OR private_key IS NULL", name="signing_keys_gone_check"),
)

# Append-only: triggers and grants refuse everything but INSERT and SELECT. Each row holds the hash of the one before.
audit_log = sa.Table(
    "audit_log",
    metadata,
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
    sa.Index("audit_log_actor_id_idx", "actor_id", "position"),
    sa.Index("audit_log_subject_id_idx", "subject_id", "position"),
    sa.Index("audit_log_action_idx", "action", "position"),
    sa.Index("audit_log_request_id_idx", "request_id"),
    sa.Index("audit_log_happened_at_idx", "happened_at"),
)

# One row: the end of the audit log's chain. Whoever appends locks it.
audit_chain = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("one", name="audit_chain_one_check"),
)

# Registers its tables in `metadata` too.
from services.auth.store import factor_tables as factor_tables  # noqa: E402
