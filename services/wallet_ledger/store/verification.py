"""The SQL that recomputes the ledger from its journal, a stretch at a time. Every statement is about one bounded stretch."""

SEQUENCES = """
WITH counted AS (
    SELECT transaction_sequence AS sequence, count(*) AS rows, max(position) + 1 AS positions,
           count(*) FILTER (WHERE pending_minor > 0) AS opened, count(*) FILTER (WHERE pending_minor < 0) AS settled
    FROM transfers WHERE transaction_sequence BETWEEN $1 AND $2 GROUP BY transaction_sequence
), walked AS (
    SELECT sequence, status, transfer_count, booked_at,
           lag(sequence) OVER w AS previous, lag(booked_at) OVER w AS previous_booked_at
    FROM transactions WHERE sequence BETWEEN $1 - 1 AND $2 WINDOW w AS (ORDER BY sequence)
), checked AS (
    SELECT coalesce(w.sequence, c.sequence) AS sequence, c.rows, c.opened, c.settled,
        CASE
            WHEN w.sequence IS NULL THEN 'has transfers, but is not there'
            WHEN w.sequence <> coalesce(w.previous + 1, 1) THEN 'does not follow the one before: transactions are missing'
            WHEN w.booked_at < w.previous_booked_at THEN 'is booked before the one before it'
            WHEN w.transfer_count <> coalesce(c.rows, 0) OR coalesce(c.positions, 0) <> coalesce(c.rows, 0)
                THEN format('should have %s transfers and has %s', w.transfer_count, coalesce(c.rows, 0))
            WHEN w.status = 'rejected' AND c.rows > 0 THEN 'is rejected, but has transfers'
        END AS fault
    FROM walked w FULL JOIN counted c USING (sequence)
    WHERE coalesce(w.sequence, c.sequence) >= $1
)
SELECT min(sequence) FILTER (WHERE fault IS NOT NULL) AS fault_sequence,
       (array_agg(fault ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault,
       coalesce(sum(rows), 0)::bigint AS transfers, coalesce(sum(opened), 0)::bigint AS opened,
       coalesce(sum(settled), 0)::bigint AS settled
FROM checked
"""

ACCOUNTS = """
SELECT id, address, currency, version, debits_posted_minor, credits_posted_minor, debits_pending_minor, credits_pending_minor
FROM accounts WHERE id > $1 ORDER BY id LIMIT $2
"""

# The rows of accounts $1 to $2 above version $3 and up to $4, walked in order from a balance of $5 with $6 and $7 pending.
CHAINS = """
WITH legs AS (
    SELECT debit_account_id AS account_id, debit_version AS version, currency,
           amount_minor AS debit_minor, 0::bigint AS credit_minor,
           pending_minor AS debit_pending, 0::bigint AS credit_pending, debit_balance_after_minor AS balance_after,
           debit_pending_after_minor AS debit_pending_after, NULL::bigint AS credit_pending_after
    FROM transfers WHERE debit_account_id BETWEEN $1 AND $2 AND debit_version > $3 AND debit_version <= $4
    UNION ALL
    SELECT credit_account_id, credit_version, currency, 0, amount_minor, 0, pending_minor, credit_balance_after_minor,
           NULL, credit_pending_after_minor
    FROM transfers WHERE credit_account_id BETWEEN $1 AND $2 AND credit_version > $3 AND credit_version <= $4
), walked AS (
    SELECT legs.*,
           row_number() OVER w + $3::bigint AS expected_version,
           $5::numeric + sum(credit_minor - debit_minor) OVER w AS expected_balance,
           $6::numeric + sum(debit_pending) OVER w AS expected_debit_pending,
           $7::numeric + sum(credit_pending) OVER w AS expected_credit_pending
    FROM legs WINDOW w AS (PARTITION BY account_id ORDER BY version ROWS UNBOUNDED PRECEDING)
)
SELECT walked.account_id, count(*) AS rows,
       sum(debit_minor)::bigint AS debits, sum(credit_minor)::bigint AS credits,
       sum(debit_pending)::bigint AS debit_pending, sum(credit_pending)::bigint AS credit_pending,
       min(walked.version) FILTER (
           WHERE walked.version <> expected_version OR balance_after <> expected_balance OR walked.currency <> accounts.currency
               OR debit_pending_after <> expected_debit_pending OR credit_pending_after <> expected_credit_pending
       ) AS fault_version
FROM walked JOIN accounts ON accounts.id = walked.account_id
GROUP BY walked.account_id
"""

ROW_OF_VERSION = """
SELECT t.id AS transaction_id, x.transaction_sequence, x.position
FROM transfers x LEFT JOIN transactions t ON t.sequence = x.transaction_sequence
WHERE (x.debit_account_id = $1 AND x.debit_version = $2) OR (x.credit_account_id = $1 AND x.credit_version = $2)
ORDER BY x.transaction_sequence, x.position LIMIT 1
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
    SELECT h.id, h.settled_sequence,
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
       (array_agg(fault ORDER BY id) FILTER (WHERE fault IS NOT NULL))[1] AS fault
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

SIZES = """
SELECT coalesce((SELECT max(sequence) FROM transactions), 0) AS transactions,
       greatest(coalesce((SELECT max(transaction_sequence) FROM transfers), 0),
                coalesce((SELECT max(sequence) FROM transactions), 0)) AS last_sequence,
       (SELECT coalesce(sum(version), 0)::bigint FROM accounts) AS legs,
       (SELECT count(*) FROM holds) AS holds,
       coalesce((SELECT max(number) FROM blocks), 0) AS blocks
"""
