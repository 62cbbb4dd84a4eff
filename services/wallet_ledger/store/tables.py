"""The service's tables.

The ledger proper is four tables. `accounts` and `holds` are what is true now; `transactions` and `transfers` are how it came
to be, and are only ever added to. Triggers (see the first migration) refuse everything else, whoever asks:

- a row of `transactions`, `transfers` or `blocks` is never changed or deleted;
- each statement that adds transfers must leave both accounts of each at the version and balance that the rows say, with no
  version missing or twice, and every row in its accounts' currency;
- an account keeps its address and currency, and its version never falls; a hold is settled once.

No mutable column of `accounts` is indexed and half of each page is left free, so that updates stay on their page (HOT).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.wallet_ledger.store import operator_tables
from shared.db.tables import add_shared_tables

metadata = MetaData(schema="wallet_ledger")
_NOW = text("clock_timestamp()")
_Code = Text(collation="C")
"""Text that programs compare, byte by byte; several times faster than by the rules of a language."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("address", _Code, nullable=False),
    Column("currency", Text, nullable=False),
    Column("floor_minor", BigInteger, comment="the lowest balance, held money counted as gone; null: no limit"),
    Column("status", Text, nullable=False, server_default=text("'open'")),
    Column(
        "version", BigInteger, nullable=False, server_default=text("0"), comment="how many rows of transfers name the account"
    ),
    Column("previous_version", BigInteger, nullable=False, server_default=text("0")),
    Column("debits_posted_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_posted_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("debits_pending_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_pending_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("maximum_balance_minor", BigInteger),
    Column("daily_debit_limit_minor", BigInteger),
    Column("debited_on", Date),
    Column("debited_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    UniqueConstraint("address", name="accounts_address_key"),
    Index("accounts_currency_idx", "currency", "address"),
    CheckConstraint("octet_length(currency) = 3", name="accounts_currency_check"),
    CheckConstraint("status IN ('open', 'frozen', 'closed')", name="accounts_status_check"),
    CheckConstraint(
        "debits_posted_minor >= 0 AND credits_posted_minor >= 0 AND debits_pending_minor >= 0 AND credits_pending_minor >= 0",
        name="accounts_totals_check",
    ),
    CheckConstraint(
        "floor_minor IS NULL OR credits_posted_minor - debits_posted_minor - debits_pending_minor >= floor_minor",
        name="accounts_floor_check",
    ),
    CheckConstraint("version >= previous_version AND previous_version >= 0", name="accounts_version_check"),
    postgresql_with={"fillfactor": "50"},
)

transactions = Table(
    "transactions",
    metadata,
    Column(
        "sequence", BigInteger, primary_key=True, autoincrement=False, comment="in the order of the commits, from 1, without gaps"
    ),
    Column("id", Uuid, nullable=False),
    Column("scope", _Code, nullable=False),
    Column("idempotency_key", _Code, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("kind", _Code, nullable=False),
    Column("reference", _Code),
    Column("description", Text),
    Column("status", Text, nullable=False),
    Column("rejection_code", Text),
    Column("rejection_detail", Text),
    Column("booked_at", DateTime(timezone=True), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("initiated_by", Uuid),
    Column("reverses_id", Uuid),
    Column("transfer_count", Integer, nullable=False),
    Column("correlation_id", Text, comment="null: its outcome was told by the outbox"),
    Column("causation_id", Text),
    Column("traceparent", Text),
    UniqueConstraint("id", name="transactions_id_key"),
    UniqueConstraint("scope", "idempotency_key", name="transactions_idempotency_key"),
    CheckConstraint(
        "(status = 'posted' AND rejection_code IS NULL)"
        " OR (status = 'rejected' AND rejection_code IS NOT NULL AND transfer_count = 0)",
        name="transactions_status_check",
    ),
    CheckConstraint("octet_length(fingerprint) = 32", name="transactions_fingerprint_check"),
)
Index(
    "transactions_reverses_key",
    transactions.c.reverses_id,
    unique=True,
    postgresql_where=text("reverses_id IS NOT NULL AND status = 'posted'"),
)
Index(
    "transactions_reference_idx",
    transactions.c.reference,
    transactions.c.sequence,
    postgresql_where=text("reference IS NOT NULL"),
)

transfers = Table(
    "transfers",
    metadata,
    Column("transaction_sequence", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("id", Uuid, nullable=False, comment="the transfer's own id; rows of a hold have the hold's"),
    Column("kind", Text),
    Column("description", Text),
    Column("debit_account_id", BigInteger, nullable=False),
    Column("credit_account_id", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False, comment="what moved"),
    Column(
        "pending_minor",
        BigInteger,
        nullable=False,
        comment="above zero: what was held; below zero: the hold that this row settled",
    ),
    Column("debit_version", BigInteger, nullable=False),
    Column("credit_version", BigInteger, nullable=False),
    Column("debit_balance_after_minor", BigInteger, nullable=False),
    Column("credit_balance_after_minor", BigInteger, nullable=False),
    Column("debit_pending_after_minor", BigInteger, nullable=False, comment="the debit account's pending debits"),
    Column("credit_pending_after_minor", BigInteger, nullable=False, comment="the credit account's pending credits"),
    Column("effective_on", Date, comment="the day it counts for, where that is not the day of booking"),
    PrimaryKeyConstraint("transaction_sequence", "position", name="transfers_pkey"),
    UniqueConstraint("debit_account_id", "debit_version", name="transfers_debit_key"),
    UniqueConstraint("credit_account_id", "credit_version", name="transfers_credit_key"),
    CheckConstraint("debit_account_id <> credit_account_id", name="transfers_accounts_check"),
    CheckConstraint(
        "amount_minor >= 0 AND (amount_minor > 0 OR pending_minor <> 0)"
        " AND (pending_minor <= 0 OR amount_minor = 0) AND (pending_minor = 0 OR amount_minor <= abs(pending_minor))",
        name="transfers_amount_check",
    ),
)
Index(
    "transfers_debit_effective_idx",
    transfers.c.debit_account_id,
    transfers.c.effective_on,
    postgresql_where=text("effective_on IS NOT NULL"),
)
Index(
    "transfers_credit_effective_idx",
    transfers.c.credit_account_id,
    transfers.c.effective_on,
    postgresql_where=text("effective_on IS NOT NULL"),
)
for _side in ("debit", "credit"):
    Index(
        f"transfers_{_side}_dated_idx",
        transfers.c[f"{_side}_account_id"],
        transfers.c[f"{_side}_version"],
        postgresql_where=text("effective_on IS NOT NULL"),
    )

holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("group_name", _Code),
    Column("kind", Text),
    Column("description", Text),
    Column("debit_account_id", BigInteger, nullable=False),
    Column("credit_account_id", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("status", Text, nullable=False),
    Column("posted_amount_minor", BigInteger, nullable=False),
    Column("opened_sequence", BigInteger, nullable=False),
    Column("opened_position", Integer, nullable=False),
    Column("settled_sequence", BigInteger),
    Column("settled_position", Integer),
    CheckConstraint("status IN ('pending', 'posted', 'voided', 'expired')", name="holds_status_check"),
    CheckConstraint("amount_minor > 0 AND posted_amount_minor BETWEEN 0 AND amount_minor", name="holds_amount_check"),
    CheckConstraint(
        "(status = 'posted') = (posted_amount_minor > 0) AND (status = 'pending') = (settled_sequence IS NULL)"
        " AND (settled_sequence IS NULL) = (settled_position IS NULL)",
        name="holds_settled_check",
    ),
)
for _name, _column in (
    ("holds_pending_group_idx", holds.c.group_name),
    ("holds_pending_deadline_idx", holds.c.expires_at),
    ("holds_pending_debit_idx", holds.c.debit_account_id),
):
    Index(_name, _column, postgresql_where=text("status = 'pending'"))

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("transfer_count", BigInteger, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("marks", LargeBinary, comment="eight bytes of the hash of each row, to say which one was changed"),
    UniqueConstraint("last_sequence", name="blocks_last_sequence_key"),
    CheckConstraint("octet_length(hash) = 32 AND octet_length(previous_hash) = 32", name="blocks_hash_check"),
    CheckConstraint("first_sequence >= 1 AND last_sequence >= first_sequence", name="blocks_range_check"),
)

trial_balances = Table(
    "trial_balances",
    metadata,
    Column("sequence", BigInteger, nullable=False, comment="the last transaction that is counted"),
    Column("currency", Text, nullable=False),
    Column("kind", _Code, nullable=False, comment="the first part of the addresses"),
    Column("accounts", BigInteger, nullable=False),
    Column("debits_minor", Numeric(38, 0), nullable=False),
    Column("credits_minor", Numeric(38, 0), nullable=False),
    Column("pending_debits_minor", Numeric(38, 0), nullable=False),
    Column("pending_credits_minor", Numeric(38, 0), nullable=False),
    PrimaryKeyConstraint("sequence", "currency", "kind", name="trial_balances_pkey"),
)

day_balances = Table(
    "day_balances",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("held_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "day", name="day_balances_pkey"),
    comment="accounts at the end of the days on which they were booked to",
)

effective_shifts = Table(
    "effective_shifts",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("shift_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "day", "version", name="effective_shifts_pkey"),
    comment="by effective date less by booking date: balances at the end of a day, of what is known at a version",
)

closed_stretches = Table(
    "closed_stretches",
    metadata,
    Column("last_sequence", BigInteger, nullable=False, autoincrement=False),
    Column("day", Date, nullable=False),
    PrimaryKeyConstraint("last_sequence", name="closed_stretches_pkey"),
    comment="how far the journal has gone into day_balances",
)

wallets = Table(
    "wallets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_home", Boolean, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("account_id", name="wallets_account_id_key"),
)
Index("wallets_user_id_idx", wallets.c.user_id, wallets.c.id)
Index("wallets_home_key", wallets.c.user_id, unique=True, postgresql_where=text("is_home"))

people = Table(
    "people",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email_hash", LargeBinary, nullable=False),  # sealed
    Column("active", Boolean, nullable=False),
    Column("email_index", LargeBinary),  # keyed; none while what is there from before is not sealed, or once it is erased
    CheckConstraint("octet_length(email_index) = 32", name="people_email_index_check"),
)

Index("people_email_index_idx", people.c.email_index)

account_freezes = operator_tables.account_freezes_table(metadata)
wallet_uses = operator_tables.wallet_uses_table(metadata)
adjustments = operator_tables.adjustments_table(metadata)
reconciliations = operator_tables.reconciliations_table(metadata)
journal_readers = operator_tables.journal_readers_table(metadata)

add_shared_tables(metadata)
