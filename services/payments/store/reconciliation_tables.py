"""The tables of reconciliation: what providers reported, what the ledger moved, and what came of comparing."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

_Instant = sa.DateTime(timezone=True)


def settlement_days_table(metadata: sa.MetaData) -> sa.Table:
    """Which days are to be compared with a provider, when next, and who is at it until when."""
    return sa.Table(
        "settlement_days",
        metadata,
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("checked_at", _Instant),
        sa.Column("next_check_at", _Instant),
        sa.Column("claimed_until", _Instant),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("provider", "day", name="settlement_days_pkey"),
        sa.Index("settlement_days_due_idx", "next_check_at", postgresql_where=sa.text("next_check_at IS NOT NULL")),
    )


def settlement_reports_table(metadata: sa.MetaData) -> sa.Table:
    """Providers' reports of a day. One that says something else than the last gets the next number. Append-only."""
    return sa.Table(
        "settlement_reports",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("duplicate_count", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("fetched_at", _Instant, nullable=False),
        sa.Column("file_id", sa.Uuid),
        sa.UniqueConstraint("provider", "day", "number", name="settlement_reports_number_key"),
    )


def settlement_files_table(metadata: sa.MetaData) -> sa.Table:
    """Files of reports that operators uploaded, each for some days. Append-only."""
    return sa.Table(
        "settlement_files",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("byte_count", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("duplicate_count", sa.Integer, nullable=False),
        sa.Column("uploaded_by", sa.Uuid, nullable=False),
        sa.Column("uploaded_at", _Instant, nullable=False),
        sa.UniqueConstraint("provider", "first_day", "last_day", "sha256", name="settlement_files_content_key"),
    )


def settlement_rows_table(metadata: sa.MetaData) -> sa.Table:
    """Rows of reports, in their order. Append-only."""
    return sa.Table(
        "settlement_rows",
        metadata,
        sa.Column("report_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("provider_row_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("fee_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("settled_at", _Instant, nullable=False),
        sa.PrimaryKeyConstraint("report_id", "position", name="settlement_rows_pkey"),
        sa.CheckConstraint("kind IN ('payment', 'payout')", name="settlement_rows_kind_check"),
        sa.Index("settlement_rows_reference_idx", "reference"),
    )


def provider_movements_table(metadata: sa.MetaData) -> sa.Table:
    """What the ledger moved of providers' accounts: our copy of what it told us. Append-only."""
    return sa.Table(
        "provider_movements",
        metadata,
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("debit_minor", sa.BigInteger, nullable=False),
        sa.Column("credit_minor", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("booked_at", _Instant, nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "account", name="provider_movements_pkey"),
        sa.Index("provider_movements_day_idx", "provider", "booked_at"),
        sa.Index("provider_movements_reference_idx", "reference"),
    )


def reconciliation_runs_table(metadata: sa.MetaData) -> sa.Table:
    """Comparisons of a provider's day. One that found what the last had found is not kept again. Append-only."""
    return sa.Table(
        "reconciliation_runs",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("report_id", sa.Uuid, nullable=False),
        sa.Column("started_by", sa.Uuid),
        sa.Column("started_at", _Instant, nullable=False),
        sa.Column("finished_at", _Instant, nullable=False),
        sa.Column("matched", sa.Integer, nullable=False),
        sa.Column("missing", sa.Integer, nullable=False),
        sa.Column("surplus", sa.Integer, nullable=False),
        sa.Column("amount_mismatch", sa.Integer, nullable=False),
        sa.Column("totals", JSONB, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Index("reconciliation_runs_day_idx", "provider", "day", "id"),
    )


def reconciliation_items_table(metadata: sa.MetaData) -> sa.Table:
    """What each row and each booking came to in a run. Append-only."""
    return sa.Table(
        "reconciliation_items",
        metadata,
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("provider_row_id", sa.Text),
        sa.Column("provider_amount_minor", sa.BigInteger),
        sa.Column("provider_fee_minor", sa.BigInteger),
        sa.Column("provider_currency", sa.Text),
        sa.Column("settled_at", _Instant),
        sa.Column("booking_id", sa.Uuid),
        sa.Column("booking_status", sa.Text),
        sa.Column("booked_amount_minor", sa.BigInteger),
        sa.Column("booked_currency", sa.Text),
        sa.Column("booked_at", _Instant),
        sa.PrimaryKeyConstraint("run_id", "verdict", "position", name="reconciliation_items_pkey"),
        sa.CheckConstraint(
            "verdict IN ('matched', 'missing', 'surplus', 'amount_mismatch')", name="reconciliation_items_verdict_check"
        ),
        sa.CheckConstraint("kind IN ('payment', 'payout')", name="reconciliation_items_kind_check"),
    )
