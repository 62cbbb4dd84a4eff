"""The tables of exports and erasures, and their sagas."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.auth.store.metadata import instant, metadata
from shared.sagas.tables import add_sagas_table

sagas = add_sagas_table(metadata)

# What a person asked for. An export's archive is a sealed file; an erasure's report is a signed document, shown to who has
# the secret, because there is no account any more that could ask for it.
privacy_requests = sa.Table(
    "privacy_requests",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="privacy_requests_user_id_fkey"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    instant("requested_at"),
    instant("settled_at", nullable=True),
    instant("expires_at", nullable=True),
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
    sa.Index("privacy_requests_user_id_idx", "user_id", "kind", "id"),
)
sa.Index(
    "privacy_requests_open_key",
    privacy_requests.c.user_id,
    privacy_requests.c.kind,
    unique=True,
    postgresql_where=sa.text("status IN ('collecting', 'assembling', 'checking', 'erasing')"),
)
