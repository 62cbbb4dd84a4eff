"""Marks of sealed rows, what accounts had at the end of each day, and the rows of a batch as types.

The jobs that seal blocks and close days also close the days of a journal that is already there; blocks of old have no marks.
"""

from alembic import op

from migrations.roles import role_of

revision = "wallet_ledger_0004"
down_revision = "wallet_ledger_0003"
branch_labels = None
depends_on = None

# What the poster writes, a row each: arrays of these are shorter and quicker to read than an array for each column.
_BATCH_TYPES = {
    "batch_opened": """
        id bigint, address text, currency text, floor_minor bigint, version bigint, debits_posted_minor
        bigint, credits_posted_minor bigint, debits_pending_minor bigint, credits_pending_minor bigint
    """,
    "batch_changed": """
        id bigint, previous_version bigint, version bigint, debits_posted_minor bigint, credits_posted_minor
        bigint, debits_pending_minor bigint, credits_pending_minor bigint, debited_on date, debited_minor
        bigint
    """,
    "batch_recorded": """
        sequence bigint, id uuid, scope text, idempotency_key text, fingerprint bytea, kind text, reference
        text, description text, status text, rejection_code text, rejection_detail text, effective_on date,
        initiated_by uuid, reverses_id uuid, transfer_count integer
    """,
    "batch_moved": """
        transaction_sequence bigint, position integer, id uuid, kind text, description text,
        debit_account_id bigint, credit_account_id bigint, currency text, amount_minor bigint, pending_minor
        bigint, debit_version bigint, credit_version bigint, debit_balance_after_minor bigint,
        credit_balance_after_minor bigint, debit_pending_after_minor bigint, credit_pending_after_minor
        bigint, effective_on date
    """,
    "batch_held": """
        id uuid, group_name text, kind text, description text, debit_account_id bigint, credit_account_id
        bigint, currency text, amount_minor bigint, expires_at timestamptz, status text, posted_amount_minor
        bigint, opened_sequence bigint, opened_position integer, settled_sequence bigint, settled_position
        integer
    """,
    "batch_settled": """
        id uuid, status text, posted_amount_minor bigint, settled_sequence bigint, settled_position integer
    """,
    "batch_told": """
        message_id uuid, type text, partition_key text, envelope text
    """,
}


def upgrade() -> None:
    """Apply."""
    for name, columns in _BATCH_TYPES.items():
        op.execute(f"CREATE TYPE wallet_ledger.{name} AS ({columns})")
    op.execute("ALTER TABLE wallet_ledger.blocks ADD COLUMN marks bytea")
    op.execute(
        "COMMENT ON COLUMN wallet_ledger.blocks.marks IS 'eight bytes of the hash of each row, to say which one was changed'"
    )
    _create_day_balances()
    _create_effective_shifts()
    _create_closed_stretches()
    for side in ("debit", "credit"):
        op.execute(
            f"CREATE INDEX transfers_{side}_dated_idx ON wallet_ledger.transfers ({side}_account_id, {side}_version)"
            " WHERE effective_on IS NOT NULL"
        )


def _create_day_balances() -> None:
    op.execute("""
        CREATE TABLE wallet_ledger.day_balances (
            account_id bigint NOT NULL,
            day date NOT NULL,
            version bigint NOT NULL,
            balance_minor bigint NOT NULL,
            held_minor bigint NOT NULL,
            CONSTRAINT day_balances_pkey PRIMARY KEY (account_id, day)
        )
    """)
    op.execute("COMMENT ON TABLE wallet_ledger.day_balances IS 'accounts at the end of the days on which they were booked to'")
    _only_grow("day_balances")


def _create_effective_shifts() -> None:
    op.execute("""
        CREATE TABLE wallet_ledger.effective_shifts (
            account_id bigint NOT NULL,
            day date NOT NULL,
            version bigint NOT NULL,
            shift_minor bigint NOT NULL,
            CONSTRAINT effective_shifts_pkey PRIMARY KEY (account_id, day, version)
        )
    """)
    op.execute(
        "COMMENT ON TABLE wallet_ledger.effective_shifts IS"
        " 'by effective date less by booking date: balances at the end of a day, of what is known at a version'"
    )
    _only_grow("effective_shifts")


def _create_closed_stretches() -> None:
    op.execute("""
        CREATE TABLE wallet_ledger.closed_stretches (
            last_sequence bigint CONSTRAINT closed_stretches_pkey PRIMARY KEY,
            day date NOT NULL
        )
    """)
    op.execute("COMMENT ON TABLE wallet_ledger.closed_stretches IS 'how far the journal has gone into day_balances'")
    _only_grow("closed_stretches")


def _only_grow(table: str) -> None:
    for name, what in {"only_grow": "UPDATE OR DELETE", "keep_all": "TRUNCATE"}.items():
        op.execute(f"""
            CREATE TRIGGER {table}_{name} BEFORE {what} ON wallet_ledger.{table}
            FOR EACH STATEMENT EXECUTE FUNCTION wallet_ledger.refuse('rows are only ever added')
        """)
    op.execute(f'REVOKE UPDATE, DELETE ON wallet_ledger.{table} FROM "{role_of("wallet_ledger")}"')
