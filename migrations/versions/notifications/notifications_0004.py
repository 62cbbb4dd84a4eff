"""Addresses are sealed, and e-mails belong to a person rather than to an address, which nobody can search for any more.

What is there stays readable until a job of the service, or `lendery keys rotate-pii`, has sealed it: a migration has no keys.
"""

from alembic import op

revision = "notifications_0004"
down_revision = "notifications_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        UPDATE notifications.emails e SET user_id = c.user_id
        FROM notifications.contacts c WHERE e.user_id IS NULL AND e.recipient = c.email
    """)
    op.execute("ALTER TABLE notifications.contacts ALTER COLUMN email TYPE bytea USING convert_to(email, 'UTF8')")
    op.execute("ALTER TABLE notifications.emails ALTER COLUMN recipient TYPE bytea USING convert_to(recipient, 'UTF8')")
    op.execute("DROP INDEX notifications.emails_content_idx")
    op.execute("CREATE INDEX emails_settled_at_idx ON notifications.emails (settled_at)")
