"""The journal tells its outcomes itself, and a batch says what it took its accounts for.

Each transaction keeps what its event says beyond itself; those from before have told their outcome by the outbox. Processes of
the release before this one go on with their own types of a batch's rows, which a later migration will drop.
"""

from alembic import op

revision = "wallet_ledger_0007"
down_revision = "wallet_ledger_0006"
branch_labels = None
depends_on = None

_BATCH_TYPES = {
    "batch_advanced": """
        id bigint, previous_version bigint, version bigint, debits_posted_minor bigint, credits_posted_minor bigint,
        debits_pending_minor bigint, credits_pending_minor bigint, debited_on date, debited_minor bigint, status text,
        floor_minor bigint, maximum_balance_minor bigint, daily_debit_limit_minor bigint
    """,
    "batch_entered": """
        sequence bigint, id uuid, scope text, idempotency_key text, fingerprint bytea, kind text, reference text,
        description text, status text, rejection_code text, rejection_detail text, effective_on date, initiated_by uuid,
        reverses_id uuid, transfer_count integer, correlation_id text, causation_id text, traceparent text
    """,
}


def upgrade() -> None:
    """Apply."""
    for column in ("correlation_id", "causation_id", "traceparent"):
        op.execute(f"ALTER TABLE wallet_ledger.transactions ADD COLUMN {column} text")
    op.execute("COMMENT ON COLUMN wallet_ledger.transactions.correlation_id IS 'null: its outcome was told by the outbox'")
    for name, columns in _BATCH_TYPES.items():
        op.execute(f"CREATE TYPE wallet_ledger.{name} AS ({columns})")
    op.execute(
        "INSERT INTO wallet_ledger.journal_readers (name, sequence)"
        " SELECT 'outcomes', coalesce(max(sequence), 0) FROM wallet_ledger.transactions"
    )
    # A trigger of columns is not even looked at by a statement that does not name one of them, as the poster's never does.
    op.execute("DROP TRIGGER accounts_keep_identity ON wallet_ledger.accounts")
    op.execute("""
        CREATE TRIGGER accounts_keep_identity BEFORE UPDATE OF id, address, currency, opened_at ON wallet_ledger.accounts
        FOR EACH ROW WHEN (
            (NEW.id, NEW.address, NEW.currency, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.address, OLD.currency, OLD.opened_at)
        ) EXECUTE FUNCTION wallet_ledger.refuse('an account keeps its id, address and currency')
    """)
