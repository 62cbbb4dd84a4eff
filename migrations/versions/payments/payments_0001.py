"""The first tables of payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.roles import role_of
from migrations.steps import create_sagas_table, create_shared_tables

revision = "payments_0001"
down_revision = None
branch_labels = ("payments",)
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    create_shared_tables("payments")
    create_sagas_table("payments")
    op.create_table(
        "wallets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        schema="payments",
    )
    _create_deposits()
    _create_withdrawals()
    _create_provider_records()


def _create_deposits() -> None:
    op.create_table(
        "deposits",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("wallet_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("return_url", sa.Text),
        sa.Column("provider_payment_id", sa.Text),
        sa.Column("checkout_url", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_reason", sa.Text),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("next_sync_at", _INSTANT),
        sa.Column("settled_at", _INSTANT),
        sa.UniqueConstraint("user_id", "idempotency_key", name="deposits_request_key"),
        sa.CheckConstraint("amount_minor > 0", name="deposits_amount_check"),
        sa.CheckConstraint(
            "status IN ('pending', 'crediting', 'succeeded', 'failed', 'expired', 'refunded')", name="deposits_status_check"
        ),
        schema="payments",
    )
    op.create_index("deposits_user_idx", "deposits", ["user_id", "id"], schema="payments")
    op.create_index(
        "deposits_sync_idx",
        "deposits",
        ["next_sync_at"],
        schema="payments",
        postgresql_where=sa.text("next_sync_at IS NOT NULL"),
    )


def _create_withdrawals() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("wallet_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("destination_encrypted", sa.LargeBinary, nullable=False),
        sa.Column("destination_masked", JSONB, nullable=False),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("provider_payout_id", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_reason", sa.Text),
        sa.Column("payout_called_at", _INSTANT),
        sa.Column("cancel_requested_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.CheckConstraint("amount_minor > 0", name="withdrawals_amount_check"),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="withdrawals_status_check"
        ),
        schema="payments",
    )
    op.create_index("withdrawals_user_idx", "withdrawals", ["user_id", "id"], schema="payments")


def _create_provider_records() -> None:
    op.create_table(
        "provider_events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("event_key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("provider", "event_key", name="provider_events_key"),
        schema="payments",
    )
    op.create_index("provider_events_reference_idx", "provider_events", ["reference"], schema="payments")
    op.create_table(
        "provider_answers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", JSONB, nullable=False),
        sa.Column("answered_at", _INSTANT, nullable=False),
        sa.CheckConstraint("outcome IN ('success', 'failure', 'unknown')", name="provider_answers_outcome_check"),
        schema="payments",
    )
    op.create_index("provider_answers_reference_idx", "provider_answers", ["reference"], schema="payments")
    for table in ("provider_events", "provider_answers"):
        op.execute(f'REVOKE UPDATE, DELETE ON payments.{table} FROM "{role_of("payments")}"')
