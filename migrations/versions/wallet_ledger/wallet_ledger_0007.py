"""The journal tells its outcomes itself; a batch says what it took its accounts for, and waits for its turn in the database.

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
    _create_post_batch()
    # A trigger of columns is not even looked at by a statement that does not name one of them, as the poster's never does.
    op.execute("DROP TRIGGER accounts_keep_identity ON wallet_ledger.accounts")
    op.execute("""
        CREATE TRIGGER accounts_keep_identity BEFORE UPDATE OF id, address, currency, opened_at ON wallet_ledger.accounts
        FOR EACH ROW WHEN (
            (NEW.id, NEW.address, NEW.currency, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.address, OLD.currency, OLD.opened_at)
        ) EXECUTE FUNCTION wallet_ledger.refuse('an account keeps its id, address and currency')
    """)


def _create_post_batch() -> None:
    """Writes a batch in its turn, or says that the ledger is not where the batch begins.

    Each statement of it sees what was committed while it waited for its turn, which one statement for all would not. Parts of
    a batch that are empty are null.
    """
    op.execute("""
        CREATE FUNCTION wallet_ledger.post_batch(
            lock_class integer, shard integer, after_sequence bigint, after_id uuid, channel text, booked timestamptz,
            opened wallet_ledger.batch_opened[], advanced wallet_ledger.batch_advanced[], entered wallet_ledger.batch_entered[],
            moved wallet_ledger.batch_moved[], held wallet_ledger.batch_held[], settled wallet_ledger.batch_settled[],
            told wallet_ledger.batch_told[]
        ) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            last_sequence bigint;
            last_id uuid;
        BEGIN
            PERFORM pg_advisory_xact_lock(lock_class, shard);
            SELECT t.sequence, t.id INTO last_sequence, last_id
            FROM wallet_ledger.transactions t ORDER BY t.sequence DESC LIMIT 1;
            IF last_sequence IS DISTINCT FROM after_sequence OR last_id IS DISTINCT FROM after_id THEN
                RETURN false;
            END IF;
            IF opened IS NOT NULL THEN
                INSERT INTO wallet_ledger.accounts (
                    id, address, currency, floor_minor, version, debits_posted_minor, credits_posted_minor, debits_pending_minor,
                    credits_pending_minor
                )
                SELECT n.* FROM unnest(opened) AS n;
            END IF;
            IF advanced IS NOT NULL THEN
                UPDATE wallet_ledger.accounts SET
                    version = n.version,
                    previous_version = n.previous_version,
                    debits_posted_minor = n.debits_posted_minor,
                    credits_posted_minor = n.credits_posted_minor,
                    debits_pending_minor = n.debits_pending_minor,
                    credits_pending_minor = n.credits_pending_minor,
                    debited_on = n.debited_on,
                    debited_minor = n.debited_minor
                FROM unnest(advanced) AS n
                WHERE accounts.id = n.id AND accounts.version = n.previous_version AND accounts.status = n.status
                    AND accounts.floor_minor IS NOT DISTINCT FROM n.floor_minor
                    AND accounts.maximum_balance_minor IS NOT DISTINCT FROM n.maximum_balance_minor
                    AND accounts.daily_debit_limit_minor IS NOT DISTINCT FROM n.daily_debit_limit_minor;
            END IF;
            IF entered IS NOT NULL THEN
                INSERT INTO wallet_ledger.transactions (
                    sequence, id, scope, idempotency_key, fingerprint, kind, reference, description, status, rejection_code,
                    rejection_detail, initiated_by, reverses_id, transfer_count, booked_at, effective_on, correlation_id, causation_id,
                    traceparent
                )
                SELECT n.sequence, n.id, n.scope, n.idempotency_key, n.fingerprint, n.kind, n.reference, n.description, n.status,
                       n.rejection_code, n.rejection_detail, n.initiated_by, n.reverses_id, n.transfer_count, booked,
                       coalesce(n.effective_on, (booked AT TIME ZONE 'UTC')::date), n.correlation_id, n.causation_id, n.traceparent
                FROM unnest(entered) AS n;
            END IF;
            IF moved IS NOT NULL THEN
                INSERT INTO wallet_ledger.transfers (
                    transaction_sequence, position, id, kind, description, debit_account_id, credit_account_id, currency, amount_minor,
                    pending_minor, debit_version, credit_version, debit_balance_after_minor, credit_balance_after_minor,
                    debit_pending_after_minor, credit_pending_after_minor, effective_on
                )
                SELECT n.* FROM unnest(moved) AS n;
            END IF;
            IF held IS NOT NULL THEN
                INSERT INTO wallet_ledger.holds (
                    id, group_name, kind, description, debit_account_id, credit_account_id, currency, amount_minor, expires_at, status,
                    posted_amount_minor, opened_sequence, opened_position, settled_sequence, settled_position
                )
                SELECT n.* FROM unnest(held) AS n;
            END IF;
            IF settled IS NOT NULL THEN
                UPDATE wallet_ledger.holds SET
                    status = n.status, posted_amount_minor = n.posted_amount_minor,
                    settled_sequence = n.settled_sequence, settled_position = n.settled_position
                FROM unnest(settled) AS n
                WHERE holds.id = n.id;
            END IF;
            IF told IS NOT NULL THEN
                INSERT INTO wallet_ledger.outbox (message_id, type, kind, partition_key, envelope)
                SELECT n.message_id, n.type, 'event', n.partition_key, n.envelope::jsonb
                FROM unnest(told) AS n;
            END IF;
            PERFORM pg_notify(channel, '');
            RETURN true;
        END
        $$
    """)
