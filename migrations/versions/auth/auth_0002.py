"""Sessions held in cookies, ended sessions found by time, and signing keys that rotate and are revoked."""

from alembic import op

revision = "auth_0002"
down_revision = "auth_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE auth.sessions
            ADD COLUMN carrier text NOT NULL DEFAULT 'bearer',
            ADD CONSTRAINT sessions_carrier_check CHECK (carrier IN ('bearer', 'cookie'))
    """)
    op.execute("ALTER TABLE auth.sessions ALTER COLUMN carrier DROP DEFAULT")
    op.execute("CREATE INDEX sessions_ended_at_idx ON auth.sessions (ended_at) WHERE ended_at IS NOT NULL")
    op.execute("""
        CREATE TABLE auth.ended_grants (
            id uuid CONSTRAINT ended_grants_pkey PRIMARY KEY,
            ended_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ended_grants_ended_at_idx ON auth.ended_grants (ended_at)")
    op.execute("ALTER TABLE auth.signing_keys ALTER COLUMN private_key DROP NOT NULL")
    op.execute("ALTER TABLE auth.signing_keys ADD COLUMN activates_at timestamptz, ADD COLUMN revoke_reason text")
    op.execute("""
        UPDATE auth.signing_keys SET
            activates_at = created_at,
            private_key = CASE WHEN revoked_at IS NULL THEN private_key END,
            revoke_reason = CASE WHEN revoked_at IS NOT NULL THEN 'not recorded' END
    """)
    op.execute("""
        ALTER TABLE auth.signing_keys
            ALTER COLUMN activates_at SET NOT NULL,
            ADD CONSTRAINT signing_keys_revoked_check CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL)),
            ADD CONSTRAINT signing_keys_gone_check CHECK (revoked_at IS NULL OR private_key IS NULL)
    """)
