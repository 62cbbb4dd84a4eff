"""The tables behind operators' work on the ledger: who froze what, adjustments, nightly reconciliations."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_Code = Text(collation="C")
_Instant = DateTime(timezone=True)


def account_freezes_table(metadata: MetaData) -> Table:
    """Why an account is frozen: a row for each cause, and none when it is not. What was frozen once is in the journal."""
    return Table(
        "account_freezes",
        metadata,
        Column("account_id", BigInteger, nullable=False),
        Column("cause", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("frozen_by", Uuid),
        Column("frozen_at", _Instant, nullable=False),
        PrimaryKeyConstraint("account_id", "cause", name="account_freezes_pkey"),
        CheckConstraint("cause IN ('operator', 'suspension')", name="account_freezes_cause_check"),
    )


def wallet_uses_table(metadata: MetaData) -> Table:
    """What other services have under way with somebody's wallets: as long as a row is there, the wallet cannot be closed.

    Without `wallet_id` it may be any of the person's wallets in that currency.
    """
    table = Table(
        "wallet_uses",
        metadata,
        Column("reference", _Code, nullable=False),
        Column("user_id", Uuid, nullable=False),
        Column("currency", Text, nullable=False),
        Column("wallet_id", Uuid),
        Column("loan_id", Uuid),
        Column("since", _Instant, nullable=False),
        PrimaryKeyConstraint("reference", name="wallet_uses_pkey"),
    )
    Index("wallet_uses_user_id_idx", table.c.user_id)
    Index("wallet_uses_loan_id_idx", table.c.loan_id, postgresql_where=text("loan_id IS NOT NULL"))
    return table


def adjustments_table(metadata: MetaData) -> Table:
    """Corrections that an operator asked for, and a second one approved or declined."""
    table = Table(
        "adjustments",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("entries", JSONB, nullable=False),
        Column("reverses_id", Uuid),
        Column("reference", _Code),
        Column("effective_on", Date),
        Column("reason", Text, nullable=False),
        Column("requested_by", Uuid, nullable=False),
        Column("requested_at", _Instant, nullable=False),
        Column("expires_at", _Instant, nullable=False),
        Column("status", Text, nullable=False),
        Column("decided_by", Uuid),
        Column("decided_at", _Instant),
        Column("decision_reason", Text),
        Column("transaction_id", Uuid, nullable=False, comment="what it is posted as, once it is approved"),
        Column("outcome", Text, comment="what the ledger said to it"),
        Column("rejection_code", Text),
        Column("rejection_detail", Text),
        CheckConstraint("kind IN ('transfers', 'reversal')", name="adjustments_kind_check"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="adjustments_reversal_check"),
        CheckConstraint(
            "status IN ('awaiting_approval', 'approved', 'declined', 'expired')"
            " AND (status = 'awaiting_approval') = (decided_at IS NULL)",
            name="adjustments_status_check",
        ),
        CheckConstraint(
            "status <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> requested_by)",
            name="adjustments_second_person_check",
        ),
        CheckConstraint(
            "outcome IS NULL OR (status = 'approved' AND outcome IN ('posted', 'rejected')"
            " AND (outcome = 'rejected') = (rejection_code IS NOT NULL))",
            name="adjustments_outcome_check",
        ),
    )
    Index("adjustments_awaiting_idx", table.c.expires_at, postgresql_where=text("status = 'awaiting_approval'"))
    Index("adjustments_unposted_idx", table.c.decided_at, postgresql_where=text("status = 'approved' AND outcome IS NULL"))
    Index(
        "adjustments_reversal_key",
        table.c.reverses_id,
        unique=True,
        postgresql_where=text("reverses_id IS NOT NULL AND status = 'awaiting_approval'"),
    )
    return table


def reconciliations_table(metadata: MetaData) -> Table:
    """Comparisons of every balance with its entries: one a night by itself, and those that operators started."""
    table = Table(
        "reconciliations",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("day", Date, nullable=False, comment="the day that had ended"),
        Column("started_by", Uuid, comment="null: it ran by itself"),
        Column("started_at", _Instant, nullable=False),
        Column("finished_at", _Instant, nullable=False),
        Column("last_sequence", BigInteger, nullable=False),
        Column("accounts", BigInteger, nullable=False),
        Column("transfers", BigInteger, nullable=False),
        Column("balanced", Boolean, nullable=False),
        Column("mismatch_count", Integer, nullable=False),
        Column("mismatches", JSONB, nullable=False, comment="the first of them"),
        Column(
            "after_sequence",
            BigInteger,
            nullable=False,
            server_default=text("0"),
            comment="only what follows this transaction was added up; 0: everything",
        ),
        Column("block_number", BigInteger, comment="the newest block, all of whose rows were hashed anew up to here"),
        Column("block_hash", LargeBinary),
        CheckConstraint("balanced = (mismatch_count = 0)", name="reconciliations_balanced_check"),
        CheckConstraint(
            "(block_number IS NULL) = (block_hash IS NULL) AND octet_length(block_hash) = 32", name="reconciliations_block_check"
        ),
    )
    Index("reconciliations_night_key", table.c.day, unique=True, postgresql_where=text("started_by IS NULL"))
    return table


def journal_readers_table(metadata: MetaData) -> Table:
    """How far each reader of the journal has come."""
    return Table(
        "journal_readers",
        metadata,
        Column("name", _Code, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
    )
