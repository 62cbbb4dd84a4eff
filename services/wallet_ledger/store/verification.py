"""The SQL that recomputes the ledger from its journal, a stretch at a time. Every statement is about one bounded stretch."""

from collections.abc import Sequence

SEQUENCES = """
WITH counted AS (
    SELECT transaction_sequence AS sequence, count(*) AS rows, max(position) + 1 AS positions,
           count(*) FILTER (WHERE pending_minor > 0) AS opened, count(*) FILTER (WHERE pending_minor < 0) AS settled
    FROM transfers WHERE transaction_sequence BETWEEN $1 AND $2 GROUP BY transaction_sequence
), walked AS (
    SELECT sequence, status, transfer_count, booked_at, rejection_code, fingerprint,
           lag(sequence) OVER w AS previous, lag(booked_at) OVER w AS previous_booked_at
    FROM transactions WHERE sequence BETWEEN $1 - 1 AND $2 WINDOW w AS (ORDER BY sequence)
), checked AS (
    SELECT coalesce(w.sequence, c.sequence) AS sequence, w.sequence IS NOT NULL AS is_there, c.rows, c.opened, c.settled,
        CASE
            WHEN w.sequence IS NULL THEN 'has transfers, but is not there'
            WHEN w.sequence <> coalesce(w.previous + 1, 1)
                THEN format('does not follow the one before: transactions %s to %s are missing', coalesce(w.previous + 1, 1),
                            w.sequence - 1)
            WHEN w.booked_at < w.previous_booked_at THEN 'is booked before the one before it'
            WHEN w.transfer_count <> coalesce(c.rows, 0) OR coalesce(c.positions, 0) <> coalesce(c.rows, 0)
                THEN format('should have %s transfers and has %s', w.transfer_count, coalesce(c.rows, 0))
            WHEN w.status = 'rejected' AND c.rows > 0 THEN 'is rejected, but has transfers'
            WHEN w.status NOT IN ('posted', 'rejected') OR (w.status = 'rejected') <> (w.rejection_code IS NOT NULL)
                OR octet_length(w.fingerprint) <> 32
                THEN 'has no outcome that could be told again'
        END AS fault
    FROM walked w FULL JOIN counted c USING (sequence)
    WHERE coalesce(w.sequence, c.sequence) >= $1
)
SELECT min(sequence) FILTER (WHERE fault IS NOT NULL) AS fault_sequence,
       (array_agg(fault ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault,
       count(*) FILTER (WHERE is_there) AS transactions, coalesce(sum(rows), 0)::bigint AS transfers,
       coalesce(sum(opened), 0)::bigint AS holds_opened, coalesce(sum(settled), 0)::bigint AS holds_settled
FROM checked
"""

ACCOUNTS = """
SELECT id, address, currency, version, debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor
FROM accounts WHERE id > $1 ORDER BY id LIMIT $2
"""

# The rows of accounts $1 to $2 above version $3 and up to $4, walked in order from a balance of $5 with $6 and $7 pending, after
# the row at transaction $8, position $9.
CHAINS = """
WITH legs AS (
    SELECT debit_account_id AS account_id, debit_version AS version, transaction_sequence AS sequence, position, currency,
           amount_minor AS debit_minor, 0::bigint AS credit_minor,
           pending_minor AS debit_pending, 0::bigint AS credit_pending, debit_balance_after_minor AS balance_after,
           debit_pending_after_minor AS debit_pending_after, NULL::bigint AS credit_pending_after
    FROM transfers WHERE debit_account_id BETWEEN $1 AND $2 AND debit_version > $3 AND debit_version <= $4
    UNION ALL
    SELECT credit_account_id, credit_version, transaction_sequence, position, currency, 0, amount_minor, 0, pending_minor,
           credit_balance_after_minor, NULL, credit_pending_after_minor
    FROM transfers WHERE credit_account_id BETWEEN $1 AND $2 AND credit_version > $3 AND credit_version <= $4
), walked AS (
    SELECT legs.*,
           row_number() OVER w + $3::bigint AS expected_version,
           $5::numeric + sum(credit_minor - debit_minor) OVER w AS expected_balance,
           $6::numeric + sum(debit_pending) OVER w AS expected_debit_pending,
           $7::numeric + sum(credit_pending) OVER w AS expected_credit_pending,
           lag(sequence, 1, $8::bigint) OVER w AS previous_sequence,
           lag(position, 1, $9::integer) OVER w AS previous_position
    FROM legs WINDOW w AS (PARTITION BY account_id ORDER BY version ROWS UNBOUNDED PRECEDING)
), checked AS (
    SELECT walked.*,
        CASE
            WHEN version <> expected_version
                THEN 'the row does not follow from the one before: one is missing or doubled'
            WHEN sequence < previous_sequence OR (sequence = previous_sequence AND position <= previous_position)
                THEN format('it comes before version %s in the journal, which is at transaction %s, position %s: rows have'
                            ' changed places', version - 1, previous_sequence, previous_position)
            WHEN currency <> account_currency
                THEN format('it is in %s, and the account in %s', currency, account_currency)
            WHEN balance_after <> expected_balance
                THEN format('the balance after it is %s; with its amount it would be %s', balance_after, expected_balance)
            WHEN debit_pending_after <> expected_debit_pending OR credit_pending_after <> expected_credit_pending
                THEN 'what is pending after it does not follow from the row before'
        END AS fault
    FROM walked JOIN (SELECT id, currency AS account_currency FROM accounts) AS own ON own.id = walked.account_id
)
SELECT account_id, count(*) AS rows,
       sum(debit_minor)::bigint AS debits, sum(credit_minor)::bigint AS credits,
       sum(debit_pending)::bigint AS debit_pending, sum(credit_pending)::bigint AS credit_pending,
       max(sequence) AS last_sequence, (array_agg(position ORDER BY version DESC))[1] AS last_position,
       min(version) FILTER (WHERE fault IS NOT NULL) AS fault_version,
       (array_agg(sequence ORDER BY version) FILTER (WHERE fault IS NOT NULL))[1] AS fault_sequence,
       (array_agg(position ORDER BY version) FILTER (WHERE fault IS NOT NULL))[1] AS fault_position,
       (array_agg(fault ORDER BY version) FILTER (WHERE fault IS NOT NULL))[1] AS fault
FROM checked GROUP BY account_id
"""

ROW_WITHOUT_ACCOUNT = """
SELECT transaction_sequence, position FROM transfers x
WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = x.debit_account_id)
    OR NOT EXISTS (SELECT 1 FROM accounts WHERE id = x.credit_account_id)
ORDER BY transaction_sequence, position LIMIT 1
"""

HOLDS = """
WITH stretch AS (
    SELECT * FROM holds WHERE id > $1 ORDER BY id LIMIT $2
), checked AS (
    SELECT h.id, h.opened_sequence, h.settled_sequence,
        CASE
            WHEN o.id IS NULL THEN 'was never opened in the journal'
            WHEN (o.id, o.pending_minor, o.debit_account_id, o.credit_account_id, o.currency)
                IS DISTINCT FROM (h.id, h.amount_minor, h.debit_account_id, h.credit_account_id, h.currency)
                THEN 'is not what the journal opened'
            WHEN h.settled_sequence IS NOT NULL
                AND (s.id, s.amount_minor, s.pending_minor, s.debit_account_id, s.credit_account_id) IS DISTINCT FROM
                    (h.id, h.posted_amount_minor, -h.amount_minor, h.debit_account_id, h.credit_account_id)
                THEN 'is not settled as the journal says'
        END AS fault
    FROM stretch h
    LEFT JOIN transfers o ON (o.transaction_sequence, o.position) = (h.opened_sequence, h.opened_position)
    LEFT JOIN transfers s ON (s.transaction_sequence, s.position) = (h.settled_sequence, h.settled_position)
)
SELECT count(*) AS rows, count(settled_sequence) AS settled, (array_agg(id ORDER BY id DESC))[1] AS last,
       (array_agg(id ORDER BY id) FILTER (WHERE fault IS NOT NULL))[1] AS fault_id,
       (array_agg(fault ORDER BY id) FILTER (WHERE fault IS NOT NULL))[1] AS fault,
       (array_agg(opened_sequence ORDER BY id) FILTER (WHERE fault IS NOT NULL))[1] AS fault_sequence
FROM checked
"""

TRIAL_BALANCE = """
SELECT currency, sum(debits_posted_minor) AS debits, sum(credits_posted_minor) AS credits,
       sum(debits_pending_minor) AS pending_debits, sum(credits_pending_minor) AS pending_credits
FROM accounts GROUP BY currency
HAVING sum(debits_posted_minor) <> sum(credits_posted_minor) OR sum(debits_pending_minor) <> sum(credits_pending_minor)
ORDER BY currency LIMIT 1
"""

WALLETS = """
SELECT w.id FROM wallets w LEFT JOIN accounts a ON a.id = w.account_id
WHERE a.id IS NULL OR a.address <> 'wallet:' || w.id OR a.currency <> w.currency OR a.floor_minor IS NULL
ORDER BY w.id LIMIT 1
"""

LAST_SEQUENCE = """
SELECT greatest(coalesce((SELECT max(transaction_sequence) FROM transfers), 0),
                coalesce((SELECT max(sequence) FROM transactions), 0))
"""

KEY_INDEX = """
SELECT EXISTS (
    SELECT 1 FROM pg_constraint c JOIN pg_index i ON i.indexrelid = c.conindid
    WHERE c.conrelid = 'transactions'::regclass AND c.contype = 'u' AND i.indisunique AND i.indisvalid AND i.indisready
        AND pg_get_constraintdef(c.oid) = 'UNIQUE (scope, idempotency_key)'
)
"""
KEYS = """
WITH stretch AS (
    SELECT scope, idempotency_key FROM transactions WHERE (scope, idempotency_key) > ($1, $2)
    ORDER BY scope, idempotency_key LIMIT $3
), walked AS (
    SELECT stretch.*, (scope, idempotency_key) = (lag(scope) OVER w, lag(idempotency_key) OVER w) AS doubled,
           row_number() OVER w AS number
    FROM stretch WINDOW w AS (ORDER BY scope, idempotency_key)
)
SELECT count(*) AS keys, (array_agg(scope ORDER BY number DESC))[1] AS last_scope,
       (array_agg(idempotency_key ORDER BY number DESC))[1] AS last_key,
       min(scope) FILTER (WHERE doubled) AS doubled_scope, min(idempotency_key) FILTER (WHERE doubled) AS doubled_key
FROM walked
"""

REVERSALS = """
SELECT sequence, id, fault FROM (
    SELECT r.sequence, r.id,
        CASE
            WHEN t.id IS NULL THEN 'reverses a transaction that is not there'
            WHEN t.status <> 'posted' THEN 'reverses one that was not posted'
            WHEN t.sequence >= r.sequence THEN 'reverses one that came after it'
            WHEN count(*) OVER (PARTITION BY r.reverses_id) > 1 THEN 'reverses one that was reversed twice'
        END AS fault
    FROM transactions r LEFT JOIN transactions t ON t.id = r.reverses_id
    WHERE r.reverses_id IS NOT NULL AND r.status = 'posted'
) AS reversals WHERE fault IS NOT NULL ORDER BY sequence LIMIT 1
"""

KEPT_TRIAL_BALANCE = """
SELECT currency, kind, accounts, debits_minor, credits_minor, pending_debits_minor, pending_credits_minor
FROM trial_balances WHERE sequence = $1
"""
PRESENT_TRIAL_BALANCE = """
SELECT currency, split_part(address, ':', 1), count(*), sum(debits_posted_minor), sum(credits_posted_minor),
       sum(debits_pending_minor), sum(credits_pending_minor)
FROM accounts WHERE version > 0 GROUP BY 1, 2
"""

_ONLY_ADDED = ("transactions", "transfers", "blocks", "trial_balances", "day_balances", "effective_shifts", "closed_stretches")
_TRIGGERS = (
    *("accounts_begin_at_zero", "accounts_keep_identity", "accounts_count_versions"),
    *("transfers_agree_with_accounts", "holds_settle_once"),
    *(f"{table}_{guard}" for table in ("accounts", "holds", *_ONLY_ADDED) for guard in ("only_grow", "keep_all")),
)
_UNIQUE = (
    *("accounts_pkey", "accounts_address_key", "transactions_pkey", "transactions_id_key", "transactions_idempotency_key"),
    *("transfers_pkey", "transfers_debit_key", "transfers_credit_key", "holds_pkey", "blocks_pkey"),
)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


GUARDS = f"""
SELECT 'trigger ' || name, 'it is not there, or is switched off' FROM unnest(ARRAY[{_names(_TRIGGERS)}]) AS name
WHERE NOT EXISTS (
    SELECT 1 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname = name AND c.relnamespace = current_schema()::regnamespace AND t.tgenabled IN ('O', 'A')
)
UNION ALL
SELECT 'index ' || name, 'it is not there, not unique or not valid' FROM unnest(ARRAY[{_names(_UNIQUE)}]) AS name
WHERE NOT EXISTS (
    SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = name AND c.relnamespace = current_schema()::regnamespace AND i.indisunique AND i.indisvalid
)
UNION ALL
SELECT 'role ' || current_user, 'it may change or delete rows of ' || name
FROM unnest(ARRAY[{_names(_ONLY_ADDED)}]) AS name
WHERE has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE') OR has_table_privilege(name, 'TRUNCATE')
"""  # noqa: S608 constants of this module
