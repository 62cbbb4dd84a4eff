"""`lendery verify` and `lendery dead-letters` on a database with something in it."""

import asyncio
import base64
import json
import os
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.platform import resources_of
from runtime.trouble import ExitCode
from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.main import build
from services.wallet_ledger.settings import Settings
from tests.support.identity import platform_for_tests
from tests.support.postgres import Server

_ENVELOPE = {
    "specversion": "1.0",
    "id": str(uuid4()),
    "source": "lending",
    "type": "lending.loan.approved",
    "kind": "event",
    "partitionkey": "loan",
}


async def lendery(database_url: str, *arguments: str) -> Result:
    """Run a command beside the event loop of the test, as it has one of its own."""
    environment = {"DATABASE_URL": database_url, "LENDERY_DB_ROLE_PREFIX": os.environ["LENDERY_DB_ROLE_PREFIX"]}
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)


async def bury(owner: asyncpg.Connection, schema: str, envelope: object = _ENVELOPE) -> int:
    """A dead letter of a service; its number."""
    number: int = await owner.fetchval(
        f"INSERT INTO {schema}.dead_letters (consumer, message_id, type, envelope, error, attempts)"
        " VALUES ($1, $2, 'lending.loan.approved', $3, 'ValueError: no [such] loan', 3) RETURNING id",
        schema,
        uuid4(),
        json.dumps(envelope),
    )
    return number


async def status_of(owner: asyncpg.Connection, schema: str) -> list[str]:
    return [row["status"] for row in await owner.fetch(f"SELECT status FROM {schema}.dead_letters ORDER BY id")]


async def audited(owner: asyncpg.Connection, schema: str) -> list[tuple[str, object]]:
    """What a service tells the audit log."""
    rows = await owner.fetch(
        f"SELECT envelope -> 'data' AS data FROM {schema}.outbox WHERE type = 'auth.action.taken' ORDER BY id"
    )
    actions = [json.loads(row["data"]) for row in rows]
    assert all((one["service"], one["subject_id"], one["actor_kind"]) == (schema, schema, "system") for one in actions)
    return [(one["action"], one["after"]) for one in actions]


async def test_an_empty_ledger_verifies(database_url: str) -> None:
    ended = await lendery(database_url, "verify")
    assert ended.exit_code == ExitCode.OK, ended.output
    assert "The ledger verifies." in ended.stdout
    assert "0 transactions" in ended.stdout


async def test_a_changed_balance_is_a_fault_with_its_place(database_url: str, owner: asyncpg.Connection) -> None:
    await owner.execute("ALTER TABLE wallet_ledger.accounts DISABLE TRIGGER ALL")
    await owner.execute(
        "INSERT INTO wallet_ledger.accounts (address, currency, credits_posted_minor) VALUES ('fees:KES', 'KES', 5)"
    )
    ended = await lendery(database_url, "verify")
    assert ended.exit_code == ExitCode.FAULT
    assert "fees:KES" in ended.stdout
    assert "does NOT verify" in ended.stdout

    as_json = await lendery(database_url, "verify", "--json")
    assert as_json.exit_code == ExitCode.FAULT
    assert "fees:KES" in json.loads(as_json.stdout)["faults"][0]["where"]


async def test_dead_letters_of_every_service_are_listed(database_url: str, owner: asyncpg.Connection) -> None:
    numbers = [await bury(owner, schema) for schema in ("auth", "lending")]
    ended = await lendery(database_url, "dead-letters", "list", "--json")
    assert ended.exit_code == ExitCode.OK
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(letter["consumer"], letter["id"]) for letter in found] == [("auth", numbers[0]), ("lending", numbers[1])]
    assert UUID(found[0]["message_id"])
    assert found[0]["envelope"]["type"] == "lending.loan.approved"

    only = await lendery(database_url, "dead-letters", "list", "--service", "lending")
    assert "lending.loan.approved" in only.stdout
    assert "no [such] loan" in only.stdout
    assert "auth" not in only.stdout


async def test_a_replay_puts_the_message_into_the_consumers_own_outbox(database_url: str, owner: asyncpg.Connection) -> None:
    number, other = await bury(owner, "payments"), await bury(owner, "payments")
    ended = await lendery(database_url, "dead-letters", "replay", "--service", "payments", str(number))
    assert (ended.exit_code, ended.stdout) == (ExitCode.OK, "1 replayed\n")
    assert await status_of(owner, "payments") == ["replayed", "dead"]
    replayed = "SELECT consumer FROM payments.outbox WHERE type = 'lending.loan.approved'"
    assert [row["consumer"] for row in await owner.fetch(replayed)] == ["payments"]
    told = {"count": 1, "ids": [number], "types": {"lending.loan.approved": 1}}
    assert await audited(owner, "payments") == [("dead_letters.replayed_on_host", told)]

    again = await lendery(database_url, "dead-letters", "replay", "--service", "payments", str(number), str(other))
    assert again.exit_code == ExitCode.FAULT
    assert f"Not replayed: {number}." in again.stderr
    assert await status_of(owner, "payments") == ["replayed", "replayed"]
    assert [after for _, after in await audited(owner, "payments")] == [told, {**told, "ids": [other]}]


async def test_what_cannot_be_read_is_not_replayed_but_can_be_discarded(database_url: str, owner: asyncpg.Connection) -> None:
    number = await bury(owner, "auth", {"base64": "AA=="})
    refused = await lendery(database_url, "dead-letters", "replay", "--service", "auth", str(number))
    assert refused.exit_code == ExitCode.FAULT
    assert await status_of(owner, "auth") == ["dead"]
    assert await audited(owner, "auth") == []
    discarded = await lendery(database_url, "dead-letters", "discard", "--service", "auth", "--all", "--yes")
    assert (discarded.exit_code, discarded.stdout) == (ExitCode.OK, "1 discarded\n")
    assert await status_of(owner, "auth") == ["discarded"]
    assert not await owner.fetch("SELECT 1 FROM auth.outbox WHERE consumer IS NOT NULL")
    told = {"count": 1, "ids": [number], "types": {"lending.loan.approved": 1}}
    assert await audited(owner, "auth") == [("dead_letters.discarded_on_host", told)]


async def test_nothing_is_discarded_without_a_yes(database_url: str, owner: asyncpg.Connection) -> None:
    number = await bury(owner, "notifications")
    ended = await lendery(database_url, "dead-letters", "discard", "--service", "notifications", str(number))
    assert ended.exit_code != ExitCode.OK
    assert await status_of(owner, "notifications") == ["dead"]


async def test_a_database_without_tables_is_told(postgres_server: Server) -> None:
    ended = await lendery(postgres_server.url, "verify")
    assert ended.exit_code == ExitCode.USAGE
    assert "has not been migrated" in ended.stderr


async def test_a_checkpoint_is_kept_elsewhere_and_compared_with(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENDERY_LEDGER_CHECKPOINT_KEYS", f"first:{base64.urlsafe_b64encode(bytes(range(32))).decode()}")
    kept, keys = tmp_path / "kept.json", tmp_path / "keys.json"
    ended = await lendery(database_url, "verify", "--checkpoint", str(kept))
    assert ended.exit_code == ExitCode.USAGE
    assert not kept.exists()
    service = build(Settings(env="test", database_url=database_url, home_currency="KES"), platform_for_tests())
    async with resources_of(service):
        transfer = Transfer(uuid4(), "provider:test:KES", "fees:KES", 500, "KES")
        assert (await service.context.poster.post(Transaction(uuid4(), "tests", "a", bytes(32), "test", (transfer,)))).posted
        await seal_blocks(service.context)
        keys.write_text(json.dumps(service.context.checkpoint_keys.jwks()))

    ended = await lendery(database_url, "verify", "--checkpoint", str(kept))
    assert ended.exit_code == ExitCode.OK, ended.output
    assert json.loads(kept.read_text())["trial_balance"]["KES"]["debits"] == "500"
    assert (await lendery(database_url, "verify", "--against", str(kept))).exit_code == ExitCode.OK
    monkeypatch.setenv("LENDERY_LEDGER_CHECKPOINT_KEYS", f"second:{base64.urlsafe_b64encode(bytes(32)).decode()}")
    unknown = await lendery(database_url, "verify", "--against", str(kept))
    assert (unknown.exit_code, "not among the keys" in unknown.output) == (ExitCode.FAULT, True)
    assert (await lendery(database_url, "verify", "--against", str(kept), "--keys", str(keys))).exit_code == ExitCode.OK

    # Somebody rewrites history, seals and all: nothing in the database tells, but what was kept elsewhere does.
    await owner.execute("SET session_replication_role = replica; SET search_path = wallet_ledger")
    await owner.execute("UPDATE transactions SET kind = 'other'; DELETE FROM blocks")
    await owner.execute("SET session_replication_role = origin")
    service = build(Settings(env="test", database_url=database_url, home_currency="KES"), platform_for_tests())
    async with resources_of(service):
        await seal_blocks(service.context)
    assert (await lendery(database_url, "verify")).exit_code == ExitCode.OK
    against = await lendery(database_url, "verify", "--against", str(kept), "--keys", str(keys))
    assert (against.exit_code, "FAULT checkpoint: block 1" in against.stdout) == (ExitCode.FAULT, True)

    kept.write_text(kept.read_text().replace('"500"', '"400"'))
    forged = await lendery(database_url, "verify", "--against", str(kept), "--keys", str(keys))
    assert (forged.exit_code, "it was changed" in forged.output) == (ExitCode.FAULT, True)


async def test_signing_keys_are_listed_rotated_and_revoked(database_url: str, owner: asyncpg.Connection) -> None:
    rotated = await lendery(database_url, "keys", "rotate")
    assert rotated.exit_code == ExitCode.OK, rotated.output
    (first,) = [row["id"] for row in await owner.fetch("SELECT id FROM auth.signing_keys")]
    assert first in rotated.stdout
    for arguments in (("revoke", first, "--reason", "a drill", "--yes"), ("revoke", first, "--reason", "again", "--yes")):
        assert (await lendery(database_url, "keys", *arguments)).exit_code == ExitCode.OK
    listed = await lendery(database_url, "keys", "list", "--json")
    keys = {key["id"]: key for key in map(json.loads, listed.stdout.splitlines())}
    assert keys[first]["state"] == "revoked"
    assert keys[first]["revoke_reason"] == "a drill"
    assert sorted(key["state"] for key in keys.values()) == ["revoked", "signing"]
    types = [row["type"] for row in await owner.fetch("SELECT type FROM auth.outbox WHERE type LIKE 'auth.signing%' ORDER BY id")]
    assert types == ["auth.signing_key.added"] * 2 + ["auth.signing_key.revoked"]
    unknown = await lendery(database_url, "keys", "revoke", "nothing", "--reason", "x", "--yes")
    assert unknown.exit_code == ExitCode.USAGE
    assert "There is no key nothing" in unknown.stderr


async def test_wallet_uses_are_told_again(database_url: str, owner: asyncpg.Connection) -> None:
    loan_id, borrower_id, wallet_id = uuid4(), uuid4(), uuid4()
    await owner.execute(
        "INSERT INTO lending.loans (id, borrower_id, wallet_id, product_code, amount_minor, currency, term_months, purpose,"
        " method, day_count, surplus, annual_rate, risk_grade, submitted_at, status, pledged_minor, funded_minor, bucket,"
        " outstanding_minor) VALUES ($1, $2, $3, 'personal-kes', 1000, 'KES', 3, 'x', 'annuity', '30/360', 'lower', 0.1, 'B',"
        " now(), 'expired', 0, 0, 0, 0)",
        loan_id, borrower_id, wallet_id,
    )  # fmt: skip
    ended = await lendery(database_url, "tell-wallet-uses")
    assert ended.exit_code == ExitCode.OK, ended.output
    assert "Uses of wallets told: 1" in ended.stdout
    told = await owner.fetchval("SELECT envelope -> 'data' FROM lending.outbox WHERE type = 'lending.wallet_use.changed'")
    said = json.loads(told)
    assert (said["reference"], said["wallet_id"], said["in_use"]) == (f"loan:{loan_id}", str(wallet_id), False)
