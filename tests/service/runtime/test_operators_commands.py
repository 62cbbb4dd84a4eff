"""`lendery verify` and `lendery dead-letters` on a database with something in it."""

import asyncio
import json
import os
from uuid import UUID, uuid4

import asyncpg
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.trouble import ExitCode
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
    assert [row["consumer"] for row in await owner.fetch("SELECT consumer FROM payments.outbox")] == ["payments"]

    again = await lendery(database_url, "dead-letters", "replay", "--service", "payments", str(number), str(other))
    assert again.exit_code == ExitCode.FAULT
    assert f"Not replayed: {number}." in again.stderr
    assert await status_of(owner, "payments") == ["replayed", "replayed"]


async def test_what_cannot_be_read_is_not_replayed_but_can_be_discarded(database_url: str, owner: asyncpg.Connection) -> None:
    number = await bury(owner, "auth", {"base64": "AA=="})
    refused = await lendery(database_url, "dead-letters", "replay", "--service", "auth", str(number))
    assert refused.exit_code == ExitCode.FAULT
    assert await status_of(owner, "auth") == ["dead"]
    discarded = await lendery(database_url, "dead-letters", "discard", "--service", "auth", "--all", "--yes")
    assert (discarded.exit_code, discarded.stdout) == (ExitCode.OK, "1 discarded\n")
    assert await status_of(owner, "auth") == ["discarded"]
    assert not await owner.fetch("SELECT 1 FROM auth.outbox")


async def test_nothing_is_discarded_without_a_yes(database_url: str, owner: asyncpg.Connection) -> None:
    number = await bury(owner, "notifications")
    ended = await lendery(database_url, "dead-letters", "discard", "--service", "notifications", str(number))
    assert ended.exit_code != ExitCode.OK
    assert await status_of(owner, "notifications") == ["dead"]


async def test_a_database_without_tables_is_told(postgres_server: Server) -> None:
    ended = await lendery(postgres_server.url, "verify")
    assert ended.exit_code == ExitCode.USAGE
    assert "has not been migrated" in ended.stderr
