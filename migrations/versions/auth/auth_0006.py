"""Addresses, of e-mail and of networks, are sealed, and e-mail addresses are found by a keyed index.

What is there stays readable until the service has sealed it: e-mail addresses of accounts when it starts, everything else by a
job within the hour, or by `lendery keys rotate-pii`. A migration has no keys.
"""

from alembic import op

revision = "auth_0006"
down_revision = "auth_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE auth.users
            DROP CONSTRAINT users_email_check,
            DROP CONSTRAINT users_email_key,
            ALTER COLUMN email TYPE bytea USING convert_to(email, 'UTF8'),
            ADD COLUMN email_index bytea
                CONSTRAINT users_email_index_key UNIQUE
                CONSTRAINT users_email_index_check CHECK (octet_length(email_index) = 32)
    """)
    op.execute("""
        ALTER TABLE auth.sessions
            ALTER COLUMN device TYPE bytea USING convert_to(device, 'UTF8'),
            ALTER COLUMN address TYPE bytea USING convert_to(address, 'UTF8'),
            ADD COLUMN address_index bytea
    """)
    for table, column in (("mailed_links", "email"), ("identities", "email"), ("api_clients", "last_used_address")):
        op.execute(f"ALTER TABLE auth.{table} ALTER COLUMN {column} TYPE bytea USING convert_to({column}, 'UTF8')")
    # Counters were kept under plain hashes of addresses, for two days at most: they begin anew.
    op.execute("DELETE FROM auth.attempts")
