"""Tables of API clients, single sign-on and role grants, as the migrations create them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.auth.store.metadata import instant, metadata

# The secret is kept as its SHA-256. After a rotation the one before works until `previous_secret_expires_at`.
api_clients = sa.Table(
    "api_clients",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="api_clients_owner_id_fkey"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("grant_id", sa.Uuid, nullable=False),
    sa.Column("requests_per_minute", sa.Integer),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("previous_secret_hash", sa.LargeBinary),
    instant("previous_secret_expires_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    instant("expires_at", nullable=True),
    instant("last_used_at", nullable=True),
    sa.Column("last_used_address", sa.LargeBinary),  # sealed
    sa.CheckConstraint("status IN ('active', 'disabled')", name="api_clients_status_check"),
    sa.CheckConstraint("cardinality(scopes) > 0", name="api_clients_scopes_check"),
    sa.CheckConstraint("requests_per_minute > 0", name="api_clients_requests_per_minute_check"),
    sa.CheckConstraint(
        "(previous_secret_hash IS NULL) = (previous_secret_expires_at IS NULL)", name="api_clients_previous_secret_check"
    ),
    sa.Index("api_clients_owner_id_idx", "owner_id", "id"),
)

# Who somebody is at another provider. `subject` never changes there; the e-mail address, sealed, is what it
# was at the last login.
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="identities_user_id_fkey"), nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("email", sa.LargeBinary, nullable=False),
    instant("linked_at"),
    instant("last_used_at", nullable=True),
    sa.UniqueConstraint("issuer", "subject", name="identities_issuer_subject_key"),
    sa.UniqueConstraint("user_id", "issuer", name="identities_user_id_issuer_key"),
)

# One row a visit to another provider. `secrets` is sealed: the PKCE verifier and the nonce. Later the one-time code for
# the app is here, as its SHA-256, with the account that it opens.
sign_on_attempts = sa.Table(
    "sign_on_attempts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state_hash", sa.LargeBinary, nullable=False),
    sa.Column("browser_hash", sa.LargeBinary, nullable=False),
    sa.Column("secrets", sa.LargeBinary, nullable=False),
    sa.Column("return_to", sa.Text, nullable=False),
    sa.Column("challenge", sa.Text),
    sa.Column("for_user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="sign_on_attempts_for_user_id_fkey")),
    instant("created_at"),
    instant("expires_at"),
    instant("returned_at", nullable=True),
    sa.Column("code_hash", sa.LargeBinary),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="sign_on_attempts_user_id_fkey")),
    instant("code_expires_at", nullable=True),
    instant("code_used_at", nullable=True),
    sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.UniqueConstraint("state_hash", name="sign_on_attempts_state_hash_key"),
    sa.UniqueConstraint("code_hash", name="sign_on_attempts_code_hash_key"),
    sa.CheckConstraint(
        "(code_hash IS NULL) = (user_id IS NULL) AND (code_hash IS NULL) = (code_expires_at IS NULL)",
        name="sign_on_attempts_code_check",
    ),
    sa.Index("sign_on_attempts_expires_at_idx", "expires_at"),
)

# What the owner of an account confirms with a mailed link of the purpose `link_identity`.
identity_confirmations = sa.Table(
    "identity_confirmations",
    metadata,
    sa.Column(
        "link_id",
        sa.Uuid,
        sa.ForeignKey("auth.mailed_links.id", name="identity_confirmations_link_id_fkey", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
)

# Roles that one administrator asked for and another one decides about.
role_grants = sa.Table(
    "role_grants",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="role_grants_user_id_fkey"), nullable=False),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Uuid, nullable=False),
    instant("requested_at"),
    instant("expires_at"),
    sa.Column("decided_by", sa.Uuid),
    instant("decided_at", nullable=True),
    sa.Column("reason", sa.Text),
    sa.CheckConstraint("status IN ('awaiting_approval', 'approved', 'declined', 'expired')", name="role_grants_status_check"),
    sa.CheckConstraint("(status = 'awaiting_approval') = (decided_at IS NULL)", name="role_grants_decided_check"),
    sa.CheckConstraint("requested_by <> user_id", name="role_grants_requested_by_check"),
    sa.CheckConstraint(
        "decided_by IS NULL OR (decided_by <> requested_by AND decided_by <> user_id) OR status = 'declined'",
        name="role_grants_second_person_check",
    ),
    sa.Index("role_grants_status_idx", "status", "id"),
)
sa.Index(
    "role_grants_open_key",
    role_grants.c.user_id,
    unique=True,
    postgresql_where=sa.text("status = 'awaiting_approval'"),
)
