"""Names are sealed. Those that are there stay readable until `lendery keys rotate-pii` seals them."""

from alembic import op

revision = "notifications_0003"
down_revision = "notifications_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE notifications.contacts ALTER COLUMN full_name TYPE bytea USING convert_to(full_name, 'UTF8')")
