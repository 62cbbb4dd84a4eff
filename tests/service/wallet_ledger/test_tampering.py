"""What PostgreSQL refuses from every writer, and what a superuser's edit looks like to `verify`."""

import asyncpg
import pytest

from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.domain.entries import Hold, PostHold
from services.wallet_ledger.store.trial_balances import TrialBalances
from shared.ids import new_id
from shared.verification import Fault
from tests.service.wallet_ledger.conftest import World, move, transaction


async def history(world: World) -> tuple[str, str]:
    """Some transactions, holds and a sealed block; two accounts."""
    ann, ben = await world.person(1_000), await world.person(1_000)
    for amount in (10, 20, 30):
        await world.poster.post(transaction(move(ann.account, ben.account, amount)))
    held, settled = new_id(), new_id()
    await world.poster.post(
        transaction(Hold(held, ann.account, ben.account, 5, "KES"), Hold(settled, ann.account, ben.account, 6, "KES"))
    )
    await world.poster.post(transaction(PostHold(settled, 4)))
    await world.poster.post(transaction(move(ann.account, ben.account, 5_000)))
    await seal_blocks(world.context)
    await world.poster.post(transaction(move(ann.account, ben.account, 40)))
    return ann.account, ben.account


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfers SET amount_minor = amount_minor + 1",
        "DELETE FROM transfers WHERE transaction_sequence = 3",
        "TRUNCATE transfers",
        "UPDATE transactions SET kind = 'other'",
        "DELETE FROM transactions WHERE status = 'rejected'",
        "TRUNCATE transactions CASCADE",
        "UPDATE blocks SET hash = previous_hash",
        "DELETE FROM blocks",
        "DELETE FROM accounts",
        "TRUNCATE accounts",
        "DELETE FROM holds",
        "UPDATE accounts SET currency = 'USD'",
        "UPDATE accounts SET address = address || 'x'",
        "UPDATE accounts SET credits_posted_minor = credits_posted_minor + 1",
        "UPDATE accounts SET version = version - 1, previous_version = 0",
        "UPDATE accounts SET version = version + 5",
        "UPDATE holds SET status = 'voided', settled_sequence = 1, settled_position = 0 WHERE status = 'posted'",
        "UPDATE holds SET amount_minor = 1 WHERE status = 'pending'",
        "UPDATE accounts SET debits_posted_minor = credits_posted_minor + 1, version = version + 1, previous_version = version"
        " WHERE floor_minor = 0",
    ],
)
async def test_the_database_refuses_even_the_owner(world: World, statement: str) -> None:
    await history(world)
    await world.owner.execute("SET search_path = wallet_ledger")

    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await world.owner.execute(statement)


async def test_the_service_itself_may_only_add(world: World) -> None:
    await history(world)
    async with world.service.database.engine.connect() as connection:
        for statement in (
            "UPDATE transfers SET amount_minor = 1",
            "DELETE FROM transactions",
            "DELETE FROM accounts",
            "DELETE FROM holds",
            "TRUNCATE transfers",
            "ALTER TABLE transfers DISABLE TRIGGER ALL",
            "DROP TABLE transfers",
            "SELECT * FROM auth.users",
        ):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                await connection.exec_driver_sql(statement)
            await connection.rollback()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("currency = 'USD'", "do not agree"),
        ("debit_version = debit_version + 1", "do not agree"),
        ("credit_version = credit_version - 1", "duplicate key|do not agree"),
        ("credit_balance_after_minor = credit_balance_after_minor + 1", "do not agree"),
        ("debit_account_id = 999999", "do not agree"),
        ("transaction_sequence = 999", "is not there"),
        ("position = 7", "another number of transfers"),
        ("amount_minor = 0", "transfers_amount_check"),
        ("credit_account_id = debit_account_id", "transfers_accounts_check"),
    ],
)
async def test_a_forged_transfer_is_refused(world: World, change: str, refusal: str) -> None:
    """The forger changes accounts and adds a transaction as the poster would, but for one thing."""
    ann, ben = await history(world)
    await world.owner.execute("SET search_path = wallet_ledger")
    forgery = f"""
        BEGIN;
        UPDATE accounts SET version = version + 1, previous_version = version, debits_posted_minor = debits_posted_minor + 3
            WHERE address = '{ann}';
        UPDATE accounts SET version = version + 1, previous_version = version, credits_posted_minor = credits_posted_minor + 3
            WHERE address = '{ben}';
        INSERT INTO transactions (sequence, id, scope, idempotency_key, fingerprint, kind, status, booked_at, effective_on,
                                  transfer_count)
            SELECT max(sequence) + 1, gen_random_uuid(), 'x', 'x', sha256(''), 'x', 'posted', now(), now(), 1 FROM transactions;
        CREATE TEMP TABLE forged ON COMMIT DROP AS
            SELECT (SELECT max(sequence) FROM transactions) AS transaction_sequence, 0 AS position, gen_random_uuid() AS id,
                NULL::text AS kind, NULL::text AS description, a.id AS debit_account_id, b.id AS credit_account_id,
                'KES' AS currency, 3::bigint AS amount_minor, 0::bigint AS pending_minor, a.version AS debit_version,
                b.version AS credit_version, a.credits_posted_minor - a.debits_posted_minor AS debit_balance_after_minor,
                b.credits_posted_minor - b.debits_posted_minor AS credit_balance_after_minor,
                a.debits_pending_minor AS debit_pending_after_minor, b.credits_pending_minor AS credit_pending_after_minor,
                NULL::date AS effective_on
            FROM accounts a, accounts b WHERE a.address = '{ann}' AND b.address = '{ben}';
        UPDATE forged SET {change};
        INSERT INTO transfers SELECT * FROM forged;
    """

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=refusal):
        await world.owner.execute(forgery)
    await world.owner.execute("ROLLBACK")
    await world.owner.execute(forgery.replace(f"UPDATE forged SET {change}", "SELECT 1"))
    await world.owner.execute("ROLLBACK")


_SWAP = (
    "UPDATE transfers SET transaction_sequence = 99 WHERE transaction_sequence = {0};"
    "UPDATE transfers SET transaction_sequence = {0} WHERE transaction_sequence = {1};"
    "UPDATE transfers SET transaction_sequence = {1} WHERE transaction_sequence = 99"
)


@pytest.mark.parametrize(
    ("statement", "check", "where", "what"),
    [
        ("UPDATE transfers SET amount_minor = 11 WHERE transaction_sequence = 3", "accounts", "transaction 3 ",
         "the balance after it is 990; with its amount it would be 989"),
        ("UPDATE transfers SET credit_balance_after_minor = 5 WHERE transaction_sequence = 4", "accounts", "transaction 4 ",
         "the balance after it is 5; with its amount it would be 1030"),
        ("DELETE FROM transfers WHERE transaction_sequence = 4", "transactions", "transaction 4", "should have 1 transfers"),
        ("DELETE FROM transfers WHERE transaction_sequence = 4", "accounts", "transaction 5 ", "one is missing or doubled"),
        ("DELETE FROM transactions WHERE sequence = 4", "transactions", "transaction 4", "has transfers, but is not there"),
        ("DELETE FROM transactions WHERE sequence = 4; DELETE FROM transfers WHERE transaction_sequence = 4",
         "transactions", "transaction 5", "transactions 4 to 4 are missing"),
        (_SWAP.format(4, 5), "accounts", "transaction 4 ", "rows have changed places"),
        (_SWAP.format(4, 5), "blocks", "transaction 4, position 0", "this one and 1 more, at transaction 5/0"),
        (_SWAP.format(1, 2), "accounts", "transaction 1 ", "rows have changed places"),
        ("UPDATE transfers SET id = gen_random_uuid() WHERE transaction_sequence = 4", "blocks", "transaction 4, position 0",
         "the row is not the one that was sealed"),
        ("UPDATE accounts SET credits_posted_minor = credits_posted_minor + 1 WHERE floor_minor = 0",
         "accounts", "account wallet:", "credits 1001 instead of 1000"),
        ("UPDATE accounts SET credits_posted_minor = credits_posted_minor + 1 WHERE floor_minor = 0",
         "trial balance", "currency KES", "debits"),
        ("UPDATE transactions SET description = 'edited' WHERE sequence = 2", "blocks", "transaction 2, in block 1", "the row"),
        ("UPDATE transactions SET idempotency_key = 'other' WHERE sequence = 3", "blocks",
         "transaction 3, in block 1", "the row"),
        ("UPDATE transactions SET status = 'posted', rejection_code = NULL, rejection_detail = NULL"
         " WHERE status = 'rejected'", "blocks", "transaction 8, in block 1", "the row"),
        ("ALTER TABLE transactions DROP CONSTRAINT transactions_status_check;"
         "UPDATE transactions SET rejection_code = NULL WHERE status = 'rejected'", "transactions",
         "transaction 8", "no outcome"),
        ("ALTER TABLE transactions DROP CONSTRAINT transactions_idempotency_key;"
         "UPDATE transactions SET idempotency_key = 'same', scope = 'same'", "idempotency keys", "the index", "several outcomes"),
        ("UPDATE transactions SET reverses_id = gen_random_uuid() WHERE sequence = 5", "reversals",
         "transaction 5 ", "not there"),
        ("UPDATE holds SET amount_minor = 50 WHERE status = 'pending'", "holds", "hold ", "is not what the journal opened"),
        ("DELETE FROM holds WHERE status = 'pending'", "holds", "the whole", "the journal opened 2 and settled 1"),
        ("UPDATE holds SET posted_amount_minor = 6 WHERE status = 'posted'", "holds", "hold ", "is not settled as"),
        ("UPDATE transfers SET debit_account_id = 999999 WHERE transaction_sequence = 3", "accounts", "transaction 3, position 0",
         "its account is not there"),
        ("UPDATE blocks SET hash = sha256('x')", "blocks", "block 1", "not those that were sealed"),
        ("UPDATE blocks SET marks = substring(marks FROM 9)", "blocks", "block 1", "their marks were changed"),
        ("UPDATE trial_balances SET debits_minor = debits_minor + 1 WHERE kind = 'wallet'", "kept trial balances",
         "the one kept at transaction 9, wallet in KES", "debits"),
        ("DELETE FROM trial_balances WHERE kind = 'provider'", "kept trial balances",
         "provider in KES", "debits 0 instead of 2000"),
        ("UPDATE wallets SET currency = 'USD'", "wallets", "wallet ", "not like it"),
        ("ALTER TABLE transfers DISABLE TRIGGER transfers_only_grow", "guards", "trigger transfers_only_grow", "switched off"),
        ("DROP INDEX transactions_reference_idx; ALTER TABLE transfers DROP CONSTRAINT transfers_debit_key", "guards",
         "index transfers_debit_key", "not there"),
    ],
)  # fmt: skip
async def test_verify_names_what_a_superuser_changed(world: World, statement: str, check: str, where: str, what: str) -> None:
    await history(world)
    await world.owner.execute("SET search_path = wallet_ledger")
    async with world.context.unit_of_work() as work:
        assert await TrialBalances(work.connection).add(0, 9)
    world.tampered = True
    assert (await world.verify()).sound
    await world.owner.execute("SET session_replication_role = replica")

    await world.owner.execute(statement)

    report = await world.verify()
    assert not report.sound
    found = [fault for fault in report.faults if fault.check == check]
    assert [fault for fault in found if where in fault.where and what in fault.what], report.faults


async def test_the_first_fault_is_the_one_written_first(world: World) -> None:
    await history(world)
    world.tampered = True
    await world.owner.execute("SET search_path = wallet_ledger; SET session_replication_role = replica")
    await world.owner.execute("UPDATE transactions SET fingerprint = sha256('x') WHERE sequence = 6")
    await world.owner.execute("UPDATE transfers SET amount_minor = 7 WHERE transaction_sequence = 4")
    await world.owner.execute("DELETE FROM transfers WHERE transaction_sequence = 7")

    first = (await world.verify()).first_fault

    assert first is not None
    assert (first.check, first.position) == ("accounts", 4)


async def test_a_row_of_no_account_is_found(world: World) -> None:
    await history(world)
    world.tampered = True
    await world.owner.execute("SET search_path = wallet_ledger; SET session_replication_role = replica")
    await world.owner.execute(
        "INSERT INTO transactions SELECT 100, gen_random_uuid(), 'x', 'x', fingerprint, kind, NULL, NULL, 'posted', NULL, NULL,"
        " booked_at, effective_on, NULL, NULL, 1 FROM transactions WHERE sequence = 3;"
        "INSERT INTO transfers SELECT 100, 0, gen_random_uuid(), NULL, NULL, 777, 888, 'KES', 5, 0, 1, 1, -5, 5, 0, 0, NULL"
    )

    faults = (await world.verify()).faults

    assert Fault("accounts", "transaction 100, position 0", "its account is not there", 100) in faults
