"""The SQL of the poster: a handful of statements a batch, each over arrays, whatever the size of the batch.

They run on connections of the poster's own, planned once and by index only (`SESSION`): plans made while the tables were
small stay right when they have grown.
"""

from functools import lru_cache

LOCK_CLASS = 0x4C454447
"""With the shard, the key of the advisory lock under which one batch at a time is posted, whichever process posts it."""

SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "lock_timeout": "15s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

_ACCOUNT_COLUMNS = """
id, address, currency, floor_minor, status, version, debits_posted_minor, credits_posted_minor, debits_pending_minor,
credits_pending_minor, maximum_balance_minor, daily_debit_limit_minor, debited_on, debited_minor
"""
ACCOUNTS_BY_ID = f"SELECT {_ACCOUNT_COLUMNS} FROM accounts WHERE id = ANY ($1::bigint[])"  # noqa: S608 a constant

_OUTCOME = """
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, t.sequence, t.id, t.scope,
       t.idempotency_key, t.fingerprint, t.status, t.rejection_code, t.rejection_detail, t.booked_at
FROM transactions t
"""
# Two kinds of rows in one round trip: the accounts at addresses $1, and, with a sequence, the outcomes of the keys $2, $3 and
# that of the last transaction, which says where the ledger stands.
ACCOUNTS_AND_OUTCOMES = f"""
SELECT {_ACCOUNT_COLUMNS}, NULL::bigint AS sequence, NULL::uuid, NULL, NULL, NULL::bytea, NULL, NULL, NULL, NULL::timestamptz
FROM accounts WHERE address = ANY ($1::text[])
UNION ALL {_OUTCOME} JOIN unnest($2::text[], $3::text[]) AS asked (scope, idempotency_key)
    ON t.scope = asked.scope AND t.idempotency_key = asked.idempotency_key
UNION ALL ({_OUTCOME} ORDER BY t.sequence DESC LIMIT 1)
"""  # noqa: S608 constants
REVERSED = "SELECT reverses_id FROM transactions WHERE reverses_id = ANY ($1::uuid[]) AND status = 'posted'"
IDS = "SELECT id FROM transactions WHERE id = ANY ($1::uuid[])"

_HOLD = """
SELECT id, group_name, kind, description, debit_account_id, credit_account_id, currency, amount_minor, expires_at, status,
       posted_amount_minor, opened_sequence, opened_position, settled_sequence, settled_position
FROM holds
"""
HOLDS = f"""
{_HOLD} WHERE id = ANY ($1::uuid[])
UNION {_HOLD} WHERE status = 'pending' AND group_name = ANY ($2::text[])
ORDER BY opened_sequence, opened_position
"""

RESERVE_ACCOUNT_IDS = """
SELECT nextval(pg_get_serial_sequence('accounts', 'id')) FROM generate_series(1, $1::integer)
"""


# The parts of the writing statement. Each takes its rows, of the type `batch_` and its name, at `{rows}`.
PARTS = {
    "opened": """
    INSERT INTO accounts (
        id, address, currency, floor_minor, version, debits_posted_minor, credits_posted_minor, debits_pending_minor,
        credits_pending_minor
    )
    SELECT n.* FROM turn, unnest({rows}) AS n
    """,
    "advanced": """
    UPDATE accounts SET
        version = n.version,
        previous_version = n.previous_version,
        debits_posted_minor = n.debits_posted_minor,
        credits_posted_minor = n.credits_posted_minor,
        debits_pending_minor = n.debits_pending_minor,
        credits_pending_minor = n.credits_pending_minor,
        debited_on = n.debited_on,
        debited_minor = n.debited_minor
    FROM turn, unnest({rows}) AS n
    WHERE accounts.id = n.id AND accounts.version = n.previous_version AND accounts.status = n.status
        AND accounts.floor_minor IS NOT DISTINCT FROM n.floor_minor
        AND accounts.maximum_balance_minor IS NOT DISTINCT FROM n.maximum_balance_minor
        AND accounts.daily_debit_limit_minor IS NOT DISTINCT FROM n.daily_debit_limit_minor
    """,
    "entered": """
    INSERT INTO transactions (
        sequence, id, scope, idempotency_key, fingerprint, kind, reference, description, status, rejection_code,
        rejection_detail, initiated_by, reverses_id, transfer_count, booked_at, effective_on, correlation_id, causation_id,
        traceparent
    )
    SELECT n.sequence, n.id, n.scope, n.idempotency_key, n.fingerprint, n.kind, n.reference, n.description, n.status,
           n.rejection_code, n.rejection_detail, n.initiated_by, n.reverses_id, n.transfer_count, $4::timestamptz,
           coalesce(n.effective_on, ($4::timestamptz AT TIME ZONE 'UTC')::date), n.correlation_id, n.causation_id, n.traceparent
    FROM turn, unnest({rows}) AS n
    """,
    "moved": """
    INSERT INTO transfers (
        transaction_sequence, position, id, kind, description, debit_account_id, credit_account_id, currency, amount_minor,
        pending_minor, debit_version, credit_version, debit_balance_after_minor, credit_balance_after_minor,
        debit_pending_after_minor, credit_pending_after_minor, effective_on
    )
    SELECT n.* FROM turn, unnest({rows}) AS n
    """,
    "held": """
    INSERT INTO holds (
        id, group_name, kind, description, debit_account_id, credit_account_id, currency, amount_minor, expires_at, status,
        posted_amount_minor, opened_sequence, opened_position, settled_sequence, settled_position
    )
    SELECT n.* FROM turn, unnest({rows}) AS n
    """,
    "settled": """
    UPDATE holds SET
        status = n.status, posted_amount_minor = n.posted_amount_minor,
        settled_sequence = n.settled_sequence, settled_position = n.settled_position
    FROM turn, unnest({rows}) AS n
    WHERE holds.id = n.id
    """,
    "told": """
    INSERT INTO outbox (message_id, type, kind, partition_key, envelope)
    SELECT n.message_id, n.type, 'event', n.partition_key, n.envelope::jsonb
    FROM turn, unnest({rows}) AS n
    """,
}


@lru_cache
def write_statement(parts: tuple[str, ...]) -> str:
    """Writes a whole batch if nobody else is posting and $2 is still the last transaction, and otherwise returns no row.

    $1: the shard; $3: the channel of the outbox; $4: when the batch is booked; then the rows of each of `parts`, as an array of
    the type `batch_…`. Should somebody slip in all the same, or an account be other than it was taken for, the unique sequence,
    or the check of transfers against accounts, fails the statement.
    """
    written = [
        f"{name} AS ({PARTS[name].format(rows=f'${number}::batch_{name}[]')})" for number, name in enumerate(parts, start=5)
    ]
    return f"""
        WITH turn AS MATERIALIZED (
            SELECT 1 FROM (
                SELECT pg_try_advisory_xact_lock({LOCK_CLASS}, $1) AS ours,
                       coalesce((SELECT sequence FROM transactions ORDER BY sequence DESC LIMIT 1), 0) = $2::bigint AS current
                OFFSET 0
            ) AS ledger WHERE ours AND current
        ), {", ".join(written)}
        SELECT pg_notify($3, '') FROM turn
    """  # noqa: S608 every part is a constant of this module
