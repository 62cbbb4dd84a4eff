"""The tables of payments. Migrations create them; a test holds the two together."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.payments.store import reconciliation_tables
from shared.db.tables import add_shared_tables
from shared.sagas.tables import add_sagas_table

metadata = sa.MetaData(schema="payments")
add_shared_tables(metadata)
sagas = add_sagas_table(metadata)

DEPOSIT_STATUSES = ("pending", "crediting", "succeeded", "failed", "expired", "refunded")
WITHDRAWAL_STATUSES = ("pending", "processing", "completed", "failed", "cancelled")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


# Whose wallet is which: our copy of what wallet-ledger told us.
wallets = sa.Table(
    "wallets",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.text("false")),
)

# What somebody may pay in and out a day, in major units of each currency; null: any amount. Our copy of what auth told us.
daily_limits = sa.Table(
    "daily_limits",
    metadata,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("deposits_major", sa.BigInteger),
    sa.Column("withdrawals_major", sa.BigInteger),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)

deposits = sa.Table(
    "deposits",
    metadata,
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
    # The request that started it: the same key resumes it when the answer was never given.
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("next_sync_at", sa.DateTime(timezone=True)),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("user_id", "idempotency_key", name="deposits_request_key"),
    sa.CheckConstraint("amount_minor > 0", name="deposits_amount_check"),
    sa.CheckConstraint(_one_of("status", DEPOSIT_STATUSES), name="deposits_status_check"),
    sa.Index("deposits_user_idx", "user_id", "id"),
    sa.Index("deposits_settled_idx", "provider", "settled_at", postgresql_where=sa.text("settled_at IS NOT NULL")),
    sa.Index("deposits_sync_idx", "next_sync_at", postgresql_where=sa.text("next_sync_at IS NOT NULL")),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("wallet_id", sa.Uuid, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("destination_encrypted", sa.LargeBinary, nullable=False),
    sa.Column("destination_masked", JSONB, nullable=False),
    # The saved destination that it was ordered to, which may be gone by now; the withdrawal has its own copy.
    sa.Column("payout_destination_id", sa.Uuid),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("provider_payout_id", sa.Text),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_reason", sa.Text),
    # When the provider was last asked to pay: nobody asks again before that call must be over.
    sa.Column("payout_called_at", sa.DateTime(timezone=True)),
    sa.Column("cancel_requested_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("amount_minor > 0", name="withdrawals_amount_check"),
    sa.CheckConstraint(_one_of("status", WITHDRAWAL_STATUSES), name="withdrawals_status_check"),
    sa.Index("withdrawals_user_idx", "user_id", "id"),
    sa.Index("withdrawals_settled_idx", "provider", "settled_at", postgresql_where=sa.text("settled_at IS NOT NULL")),
)

# Where people want to be paid out to again. Removing one deletes it: withdrawals have their own copy.
payout_destinations = sa.Table(
    "payout_destinations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("destination_encrypted", sa.LargeBinary, nullable=False),
    sa.Column("destination_masked", JSONB, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("usable_from", sa.DateTime(timezone=True), nullable=False),
    sa.Index("payout_destinations_user_idx", "user_id", "id"),
)

# What providers told us of their own accord. Append-only.
provider_events = sa.Table(
    "provider_events",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("provider", "event_key", name="provider_events_key"),
    sa.Index("provider_events_reference_idx", "reference"),
)

# What providers answered when we asked, secrets removed. Append-only.
provider_answers = sa.Table(
    "provider_answers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False),
    sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("outcome IN ('success', 'failure', 'unknown')", name="provider_answers_outcome_check"),
    sa.Index("provider_answers_reference_idx", "reference"),
)

settlement_days = reconciliation_tables.settlement_days_table(metadata)
settlement_reports = reconciliation_tables.settlement_reports_table(metadata)
settlement_files = reconciliation_tables.settlement_files_table(metadata)
settlement_rows = reconciliation_tables.settlement_rows_table(metadata)
provider_movements = reconciliation_tables.provider_movements_table(metadata)
reconciliation_runs = reconciliation_tables.reconciliation_runs_table(metadata)
reconciliation_items = reconciliation_tables.reconciliation_items_table(metadata)
