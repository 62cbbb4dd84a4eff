"""Marks of sealed rows, and what accounts had at the end of each day.

The jobs that seal blocks and close days also close the days of a journal that is already there; blocks of old have no marks.
"""

from alembic import op

from migrations.roles import role_of

revision = "wallet_ledger_0004"
down_revision = "wallet_ledger_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
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
