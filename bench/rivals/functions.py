"""A ledger of database functions, after pgledger's published design (https://github.com/pgr0ss/pgledger), written anew.

Every transfer is one call of a PL/pgSQL function in a transaction of its own: it locks both accounts in the order of their
ids, changes balance and version of each, and adds a transfer and two entries with the balance before and after. There is no
idempotency and no outbox: it does less than Lendery.
"""

import asyncio

import asyncpg

from bench.seed import CURRENCY, WALLETS

_DESIGN = """
CREATE SCHEMA functions;
SET search_path = functions;
CREATE TABLE accounts (
    id text PRIMARY KEY, name text NOT NULL, currency text NOT NULL, balance numeric NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0, may_be_negative boolean NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE transfers (
    id text PRIMARY KEY, from_account_id text NOT NULL REFERENCES accounts, to_account_id text NOT NULL REFERENCES accounts,
    amount numeric NOT NULL CHECK (amount > 0), created_at timestamptz NOT NULL, event_at timestamptz NOT NULL,
    metadata jsonb, CHECK (from_account_id <> to_account_id)
);
CREATE INDEX ON transfers (from_account_id);
CREATE INDEX ON transfers (to_account_id);
CREATE INDEX ON transfers (event_at);
CREATE TABLE entries (
    id text PRIMARY KEY, account_id text NOT NULL REFERENCES accounts, transfer_id text NOT NULL REFERENCES transfers,
    amount numeric NOT NULL, balance_before numeric NOT NULL, balance_after numeric NOT NULL, account_version bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON entries (account_id);
CREATE INDEX ON entries (transfer_id);

-- Ids that sort by time: milliseconds in front, chance behind.
CREATE FUNCTION fresh_id(prefix text) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT prefix || lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 13)
$$;

CREATE FUNCTION change_balance(account_id text, change numeric) RETURNS accounts LANGUAGE plpgsql AS $$
DECLARE
    changed functions.accounts;
BEGIN
    UPDATE functions.accounts SET balance = balance + change, version = version + 1, updated_at = now()
    WHERE id = account_id RETURNING * INTO STRICT changed;
    IF changed.balance < 0 AND NOT changed.may_be_negative THEN
        RAISE EXCEPTION 'account % has not enough', account_id;
    END IF;
    RETURN changed;
END
$$;

CREATE FUNCTION add_entry(account accounts, transfer_id text, change numeric) RETURNS void LANGUAGE sql AS $$
    INSERT INTO functions.entries
    VALUES (functions.fresh_id('e_'), account.id, transfer_id, change, account.balance - change, account.balance,
            account.version, now())
$$;

CREATE FUNCTION create_transfer(from_id text, to_id text, amount numeric) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    payer functions.accounts;
    payee functions.accounts;
    transfer_id text := functions.fresh_id('t_');
BEGIN
    PERFORM 1 FROM functions.accounts WHERE id = least(from_id, to_id) FOR UPDATE;
    PERFORM 1 FROM functions.accounts WHERE id = greatest(from_id, to_id) FOR UPDATE;
    payer := functions.change_balance(from_id, -amount);
    payee := functions.change_balance(to_id, amount);
    IF payer.currency <> payee.currency THEN
        RAISE EXCEPTION '% is not %', payer.currency, payee.currency;
    END IF;
    INSERT INTO functions.transfers VALUES (transfer_id, from_id, to_id, amount, now(), now());
    PERFORM functions.add_entry(payer, transfer_id, -amount);
    PERFORM functions.add_entry(payee, transfer_id, amount);
    RETURN transfer_id;
END
$$;
"""
SCRIPT = f"""\\set payer random(1, {WALLETS})
\\set further random(1, {WALLETS - 1})
SELECT functions.create_transfer('a_' || :payer::int, 'a_' || ((:payer::int + :further::int - 1) % {WALLETS} + 1), 1);
"""
"""One transfer between two different accounts, in pgbench's language."""


def prepare(url: str) -> None:
    """Make the tables, the functions and the accounts."""
    asyncio.run(_prepare(url))


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(_DESIGN)
        await connection.execute(
            "INSERT INTO functions.accounts (id, name, currency, balance, may_be_negative)"
            " SELECT 'a_' || n, 'account ' || n, $1, 1000000000000, false FROM generate_series(1, $2::int) AS n",
            CURRENCY,
            WALLETS,
        )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
