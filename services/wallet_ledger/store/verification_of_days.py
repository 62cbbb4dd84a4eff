"""The SQL that recomputes what was kept of days, a stretch at a time."""

_LEG = """
SELECT x.debit_balance_after_minor AS balance_minor, t.sequence, (t.booked_at AT TIME ZONE 'UTC')::date AS booked_on
FROM transfers x JOIN transactions t ON t.sequence = x.transaction_sequence
WHERE x.debit_account_id = {account} AND x.debit_version = {version}
UNION ALL
SELECT x.credit_balance_after_minor, t.sequence, (t.booked_at AT TIME ZONE 'UTC')::date
FROM transfers x JOIN transactions t ON t.sequence = x.transaction_sequence
WHERE x.credit_account_id = {account} AND x.credit_version = {version}
"""

# Ends of days after that of account $1 on day $2, which was at version $3: every row from the version before on is of that day.
DAYS = f"""
WITH stretch AS (
    SELECT * FROM day_balances WHERE account_id > $1 OR (account_id = $1 AND day > $2::date)
    ORDER BY account_id, day LIMIT $4
), walked AS (
    SELECT stretch.*, coalesce(lag(version) OVER w, CASE WHEN account_id = $1 THEN $3::bigint ELSE 0 END) AS previous
    FROM stretch WINDOW w AS (PARTITION BY account_id ORDER BY day)
), checked AS (
    SELECT walked.account_id, walked.day, walked.version, final.sequence,
        CASE
            WHEN walked.version <= walked.previous OR initial.booked_on IS DISTINCT FROM walked.day
                THEN format('it begins after version %s, which is not where the day before ended', walked.previous)
            WHEN final.booked_on IS DISTINCT FROM walked.day
                THEN format('version %s was not booked on it', walked.version)
            WHEN final.balance_minor <> walked.balance_minor
                THEN format('the balance is %s, and after version %s it was %s', walked.balance_minor, walked.version,
                            final.balance_minor)
            WHEN walked.held_minor <> coalesce((
                SELECT debit_pending_after_minor FROM transfers
                WHERE debit_account_id = walked.account_id AND debit_version <= walked.version
                ORDER BY debit_version DESC LIMIT 1
            ), 0) THEN 'another amount was held'
        END AS fault
    FROM walked
    LEFT JOIN LATERAL ({_LEG.format(account="walked.account_id", version="walked.previous + 1")}) AS initial ON true
    LEFT JOIN LATERAL ({_LEG.format(account="walked.account_id", version="walked.version")}) AS final ON true
)
SELECT count(*) AS rows, max(account_id) AS last_account_id,
       (array_agg(day ORDER BY account_id DESC, day DESC))[1] AS last_day,
       (array_agg(version ORDER BY account_id DESC, day DESC))[1] AS last_version,
       (array_agg(account_id ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault_account_id,
       (array_agg(day ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault_day,
       (array_agg(sequence ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault_sequence,
       (array_agg(fault ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1] AS fault
FROM checked
"""  # noqa: S608 constants

# Accounts that were booked to on a closed day after the last that was kept of them.
LAST_DAYS = f"""
WITH stretch AS (
    SELECT id, version, coalesce((
        SELECT d.version FROM day_balances d WHERE d.account_id = accounts.id ORDER BY d.day DESC LIMIT 1
    ), 0) AS kept
    FROM accounts WHERE id > $1 ORDER BY id LIMIT $2
), closing AS (
    SELECT (booked_at AT TIME ZONE 'UTC')::date AS day FROM transactions
    WHERE sequence = (SELECT max(last_sequence) + 1 FROM closed_stretches)
)
SELECT count(*) AS rows, max(id) AS last_account_id, min(id) FILTER (WHERE stretch.version > kept AND EXISTS (
    SELECT 1 FROM ({_LEG.format(account="stretch.id", version="stretch.kept + 1")}) AS leg, closing
    WHERE leg.booked_on < closing.day
)) AS fault_account_id
FROM stretch
"""  # noqa: S608 constants

# Shifts of accounts after $1: each is the one of the rounds before, and what the dated rows of its own round make of it.
SHIFTS = """
WITH stretch AS (
    SELECT DISTINCT account_id FROM effective_shifts WHERE account_id > $1 ORDER BY account_id LIMIT $2
), rounds AS (
    SELECT account_id, version, lag(version, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY version) AS previous
    FROM (SELECT DISTINCT s.account_id, s.version FROM effective_shifts s JOIN stretch USING (account_id)) AS known
), checked AS (
    SELECT s.account_id, s.day, s.version, s.shift_minor AS is_minor, coalesce((
        SELECT b.shift_minor FROM effective_shifts b
        WHERE b.account_id = s.account_id AND b.day <= s.day AND b.version < s.version
        ORDER BY b.day DESC, b.version DESC LIMIT 1
    ), 0) + coalesce((
        SELECT sum(CASE WHEN x.effective_on <= s.day THEN 1 ELSE 0 END * x.amount_minor
                   - CASE WHEN (t.booked_at AT TIME ZONE 'UTC')::date <= s.day THEN 1 ELSE 0 END * x.amount_minor)
        FROM (
            SELECT transaction_sequence, effective_on, amount_minor FROM transfers
            WHERE credit_account_id = s.account_id AND credit_version > r.previous AND credit_version <= s.version
              AND effective_on IS NOT NULL
            UNION ALL
            SELECT transaction_sequence, effective_on, -amount_minor FROM transfers
            WHERE debit_account_id = s.account_id AND debit_version > r.previous AND debit_version <= s.version
              AND effective_on IS NOT NULL
        ) AS x JOIN transactions t ON t.sequence = x.transaction_sequence
    ), 0) AS should_minor
    FROM rounds r JOIN effective_shifts s USING (account_id, version)
)
SELECT (SELECT count(*) FROM stretch) AS accounts, (SELECT max(account_id) FROM stretch) AS last_account_id,
       fault.account_id AS fault_account_id, fault.day AS fault_day, fault.version AS fault_version, fault.is_minor,
       fault.should_minor
FROM (SELECT 1) AS always LEFT JOIN LATERAL (
    SELECT * FROM checked WHERE is_minor <> should_minor ORDER BY account_id, version, day LIMIT 1
) AS fault ON true
"""

LOST_SHIFT = """
SELECT dated.account_id, dated.version, dated.sequence, dated.effective_on
FROM (
    SELECT debit_account_id AS account_id, debit_version AS version, transaction_sequence AS sequence, effective_on
    FROM transfers WHERE effective_on IS NOT NULL AND amount_minor > 0
    UNION ALL
    SELECT credit_account_id, credit_version, transaction_sequence, effective_on
    FROM transfers WHERE effective_on IS NOT NULL AND amount_minor > 0
) AS dated
WHERE dated.sequence <= (SELECT max(last_sequence) FROM closed_stretches) AND NOT EXISTS (
    SELECT 1 FROM effective_shifts s
    WHERE s.account_id = dated.account_id AND s.day = dated.effective_on AND s.version >= dated.version
)
ORDER BY dated.sequence LIMIT 1
"""
