"""`lendery keys rotate-pii`: every sealed value under the new key, also when it is killed half-way and the platform writes."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from services.auth.domain.user import new_user
from services.auth.store.users import Users
from services.lending.store.assessments import factors_place, open_assessment
from services.payments.commands.request_withdrawal import destination_place
from services.wallet_ledger.domain.wallet import email_hash
from services.wallet_ledger.store.people import hash_place, indexes_of
from shared.crypto import Undecryptable, Vault, open_vault
from shared.crypto.rotation import reseal
from shared.db.database import Database, role_of
from shared.ids import new_id
from shared.storage import open_files

OLD = "old:" + base64.urlsafe_b64encode(bytes(32)).decode()
NEW = "new:" + base64.urlsafe_b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = 120


def vault(keys: str) -> Vault:
    return open_vault(keys, production=False)


async def add_people(database_url: str, sealing: Vault, count: int) -> dict[UUID, str]:
    """Accounts sealed by `sealing`: their names by id. Their addresses are their ids at example.com."""
    role = role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema="auth", role=role, pool_size=1)
    try:
        async with database.engine.begin() as connection:
            users, names = Users(connection, sealing), {}
            for number in range(count):
                user_id = new_id()
                user = new_user(
                    user_id=user_id,
                    email=f"{user_id}@example.com",
                    password_hash="x",
                    full_name=f"Person {number}",
                    phone="+254712345678",
                    home_currency="KES",
                    now=NOW,
                )
                assert await users.add_if_email_is_free(user)
                names[user.id] = user.full_name
            return names
    finally:
        await database.dispose()


async def names_of(database_url: str, opening: Vault) -> dict[UUID, str]:
    role = role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema="auth", role=role, pool_size=1)
    try:
        async with database.read() as connection:
            return {user.id: user.full_name for user in await Users(connection, opening).page(after=None, count=10_000)}
    finally:
        await database.dispose()


async def found_by_address(database_url: str, opening: Vault, ids: Iterable[UUID]) -> set[UUID]:
    """Whom a process with these keys finds by their address, and nobody by any other's."""
    role = role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema="auth", role=role, pool_size=1)
    try:
        async with database.read() as connection:
            users = Users(connection, opening)
            assert await users.find_by_email("nobody@example.com") is None
            found = [await users.find_by_email(f"{user_id}@Example.com") for user_id in ids]
            return {user.id for user in found if user is not None and user.email == f"{user.id}@example.com"}
    finally:
        await database.dispose()


async def rotating(database_url: str, home: Path, *options: str) -> asyncio.subprocess.Process:
    """The command, running."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LENDERY_")}
    environment = kept | {
        "DATABASE_URL": database_url,
        "LENDERY_ENV": "local",
        "LENDERY_DB_ROLE_PREFIX": os.environ["LENDERY_DB_ROLE_PREFIX"],
        "LENDERY_ENCRYPTION_KEYS": f"{NEW},{OLD}",
        "LENDERY_STORAGE_URL": (home / "files").as_uri(),
    }
    command = (sys.executable, "-m", "runtime", "keys", "rotate-pii", *options)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)


async def under_new_key(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM auth.users WHERE substring(email for 5) = '\\x01036e6577'::bytea"))


async def test_killed_half_way_it_goes_on_and_nothing_is_lost(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    names = await add_people(database_url, vault(OLD), PEOPLE)
    killed = await rotating(database_url, tmp_path, "--batch", "1")
    for _ in range(3_000):
        if await under_new_key(owner) > 3:
            break
        await asyncio.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    await killed.communicate()
    assert await under_new_key(owner) > 3
    assert await names_of(database_url, vault(f"{NEW},{OLD}")) == names, "half-way, everything opens"
    assert await found_by_address(database_url, vault(f"{NEW},{OLD}"), names) == set(names)
    assert await found_by_address(database_url, vault(f"{OLD},{NEW}"), names) == set(names), "before it seals with the new one"
    names |= await add_people(database_url, vault(f"{NEW},{OLD}"), 5)  # the platform goes on meanwhile

    again = await rotating(database_url, tmp_path)
    said, complaint = await again.communicate()
    assert again.returncode == 0, complaint
    assert b"auth.users.full_name" in said
    assert await names_of(database_url, vault(NEW)) == names, "the old key is not needed any more"
    assert await found_by_address(database_url, vault(NEW), names) == set(names)
    assert await found_by_address(database_url, vault(OLD), list(names)[:3]) == set(), "nothing was left under the old one"
    third, _ = await (await rotating(database_url, tmp_path)).communicate()
    assert all(line.split()[1] == b"0" for line in third.splitlines()), third


async def test_every_kind_of_value_is_sealed_anew_and_what_does_not_open_is_named(
    database_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    old, lost = vault(OLD), vault("lost:" + base64.urlsafe_b64encode(b"l" * 32).decode())
    (user_id,) = await add_people(database_url, old, 1)
    kyc_id, document_id, withdrawal_id = new_id(), new_id(), new_id()
    details = json.dumps({"full_name": "Amina"})
    await owner.execute(
        "INSERT INTO auth.kyc_submissions (id, user_id, status, country, document_type, details, submitted_at) "
        "VALUES ($1, $2, 'pending', 'KE', 'passport', $3, now())",
        kyc_id,
        user_id,
        old.encrypt_text(details, aad=f"auth.kyc_submissions.details:{kyc_id}"),
    )
    await owner.execute("INSERT INTO auth.kyc_documents VALUES ($1, $2, 'image/png', 3)", document_id, kyc_id)
    key = f"kyc/{kyc_id}/{document_id}"
    await open_files((tmp_path / "files").as_uri(), old).put(key, b"png")
    await owner.execute(
        "INSERT INTO payments.withdrawals (id, user_id, wallet_id, amount_minor, currency, provider, destination_encrypted, "
        "destination_masked, reference, status, created_at) "
        "VALUES ($1, $2, $2, 1, 'KES', 'sandbox', $3, '{}', 'r', 'completed', now())",
        withdrawal_id,
        user_id,
        old.encrypt_text("{}", aad=destination_place(withdrawal_id)),
    )
    # From before names were sealed, and one under a key that nobody has any more.
    await owner.execute("INSERT INTO notifications.contacts VALUES ($1, 'a@example.com', 'Amina W.', 'en', now())", user_id)
    stranger = new_id()
    await owner.execute(
        "INSERT INTO notifications.contacts VALUES ($1, 'b@example.com', $2, 'en', now())",
        stranger,
        lost.encrypt_text("Baraka", aad=f"notifications.contacts.full_name:{stranger}"),
    )
    # Found by an index: one from before there was one, and one under the old key. And what somebody said of their money.
    await owner.execute(
        "INSERT INTO wallet_ledger.people VALUES ($1, $2, true, NULL), ($3, $4, true, $5)",
        *(user_id, email_hash("a@example.com"), stranger, old.encrypt(email_hash("b@example.com"), aad=hash_place(stranger))),
        indexes_of(old, "b@example.com")[0],
    )
    await owner.execute(
        "INSERT INTO lending.credit_assessments VALUES ($1, $1, 'KES', 'm', '{}', 500, 0.5, 'C', 0.2, $2, now(), now())",
        *(user_id, old.encrypt(b"[]", aad=factors_place(user_id))),
    )
    run = await rotating(database_url, tmp_path)
    _, complaint = await run.communicate()
    assert run.returncode == 1, complaint
    assert str(stranger).encode() in complaint
    new = vault(NEW)
    sealed = await owner.fetchval("SELECT details FROM auth.kyc_submissions")
    assert new.decrypt_text(sealed, aad=f"auth.kyc_submissions.details:{kyc_id}") == details
    assert await open_files((tmp_path / "files").as_uri(), new).get(key) == b"png"
    destination = await owner.fetchval("SELECT destination_encrypted FROM payments.withdrawals")
    assert new.decrypt_text(destination, aad=destination_place(withdrawal_id)) == "{}"
    name = await owner.fetchval("SELECT full_name FROM notifications.contacts WHERE user_id = $1", user_id)
    assert new.decrypt_text(name, aad=f"notifications.contacts.full_name:{user_id}") == "Amina W."
    email = await owner.fetchval("SELECT email FROM notifications.contacts WHERE user_id = $1", user_id)
    assert new.decrypt_text(email, aad=f"notifications.contacts.email:{user_id}") == "a@example.com"
    for known, email in ((user_id, "A@example.com"), (stranger, "B@example.com")):
        indexes = list(indexes_of(new, email))
        assert await owner.fetchval("SELECT user_id FROM wallet_ledger.people WHERE email_index = ANY ($1)", indexes) == known
    row = dict(await owner.fetchrow("SELECT id, inputs, factors FROM lending.credit_assessments"))
    opened = open_assessment(row, new)
    assert (opened["inputs"], opened["factors"]) == ({}, [])
    assert row["inputs"][:5] == row["factors"][:5] == b"\x01\x03new"


async def test_a_value_of_another_row_is_not_taken(database_url: str, owner: asyncpg.Connection) -> None:
    from services.auth.sealed import SEALED

    first, second = await add_people(database_url, vault(OLD), 2)
    await owner.execute(
        "UPDATE auth.users SET full_name = (SELECT full_name FROM auth.users WHERE id = $1) WHERE id = $2", first, second
    )
    role = role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema="auth", role=role, pool_size=1)
    try:
        result = await reseal(database, vault(f"{NEW},{OLD}"), SEALED[0], batch=1)
    finally:
        await database.dispose()
    assert (result.done, result.unreadable) == (1, [str(second)])
    with pytest.raises(Undecryptable):
        await names_of(database_url, vault(f"{NEW},{OLD}"))
