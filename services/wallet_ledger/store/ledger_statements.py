"""The SQL of the poster: a handful of statements a batch, each over arrays, whatever the size of the batch.

They run on connections of the poster's own, planned once and by index only (`SESSION`): plans made while the tables were
small stay right when they have grown.
"""

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
SELECT {_ACCOUNT_COLUMNS}, NULL::bigint AS sequence, NULL::uuid, NULL, NULL, NULL::bytea, NULL, NULL, NULL,
       NULL::timestamptz AS booked_at
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


POST_BATCH = f"SELECT post_batch({LOCK_CLASS}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
"""Waits for its turn and writes a whole batch, if transaction $2 with the id $3 is still the last one; otherwise false.

$1: the shard; $4: the channel of the outbox; $5: when the batch is booked; then its rows (`batch_writer`), as arrays of the types
`batch_…`. The function is in the database (see the migration) because each of its statements sees what was committed while the
first one waited. Should somebody slip in all the same, or an account be other than it was taken for, the unique sequence, or
the check of transfers against accounts, fails it.
"""
