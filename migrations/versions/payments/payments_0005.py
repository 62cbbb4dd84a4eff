"""Settlement files: reports of providers that an operator uploads, and which report came from which file."""

import sqlalchemy as sa
from alembic import op

from migrations.roles import role_of

revision = "payments_0005"
down_revision = "payments_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "settlement_files",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("byte_count", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("duplicate_count", sa.Integer, nullable=False),
        sa.Column("uploaded_by", sa.Uuid, nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("provider", "first_day", "last_day", "sha256", name="settlement_files_content_key"),
        schema="payments",
    )
    op.execute("ALTER TABLE payments.settlement_reports ADD COLUMN file_id uuid")
    for name, event in {"only_grow": "UPDATE OR DELETE", "keep_all": "TRUNCATE"}.items():
        op.execute(f"""
            CREATE TRIGGER settlement_files_{name} BEFORE {event} ON payments.settlement_files
            FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse()
        """)
    op.execute(f'REVOKE UPDATE, DELETE ON payments.settlement_files FROM "{role_of("payments")}"')
