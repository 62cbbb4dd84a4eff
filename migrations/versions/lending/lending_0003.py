"""What people say of their money is sealed. What is there stays readable until a job of the service, or
`lendery keys rotate-pii`, has sealed it: a migration has no keys."""

from alembic import op

revision = "lending_0003"
down_revision = "lending_0002"
branch_labels = None
depends_on = None

_COMMENTS = {
    "inputs": "sealed: everything that the score was computed from",
    "factors": "sealed: points per factor, with reasons and advice",
}


def upgrade() -> None:
    """Apply."""
    op.execute("""
        ALTER TABLE lending.credit_assessments
            ALTER COLUMN inputs TYPE bytea USING convert_to(inputs::text, 'UTF8'),
            ALTER COLUMN factors TYPE bytea USING convert_to(factors::text, 'UTF8')
    """)
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN lending.credit_assessments.{column} IS '{comment}'")
