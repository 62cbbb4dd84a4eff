"""A person comes, uses the platform, takes a copy of everything and leaves: nothing of who they were remains.

While they are there, the tables alone do not tell how to reach them, where they were, or what they said of their money.
"""

import asyncio
import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from runtime.demo.client import Person
from tests.support.at_rest import columns_with
from tests.support.pictures import png
from tests.support.platforms import one_process

PHONE, INCOME = "+254719876543", 98_765_432_10
SECRETS = ("zuleikha", "mwamba", "0711999888", "zk-4711-pass", "copper lane")
SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
PICTURE = png(b"the passport of Zuleikha Mwamba")


async def where_found(connection: asyncpg.Connection) -> set[str]:
    """The tables of services in which a word of `SECRETS` stands, in clear. (The sandbox plays somebody outside.)"""
    tables = {column.rpartition(".")[0] for column in await columns_with(connection, SECRETS)}
    return {table for table in tables if table.split(".")[0] in SERVICES}


def contents(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: json.loads(file.read(name)) if name.endswith(".json") else file.read(name) for name in file.namelist()}


async def test_in_one_process(database_url: str, tmp_path: Path) -> None:
    with one_process(database_url, tmp_path, LENDERY_AUTO_VERIFY="1") as platform:
        async with httpx.AsyncClient(base_url=platform.url, timeout=60, trust_env=False) as http:
            await nothing_is_told_by_the_tables(http, database_url)
            await leave(http, database_url, tmp_path)


async def leave(http: httpx.AsyncClient, database_url: str, home: Path) -> None:
    person = Person(http, "zuleikha.mwamba@lendery.test", "a password of hers 42", "Zuleikha Mwamba")
    await person.register()
    await person.log_in()
    user_id = (await person.call("GET", "/v1/me"))["id"]
    await person.call(
        "POST",
        "/v1/kyc",
        {
            "full_name": "Zuleikha Mwamba",
            "date_of_birth": "1990-04-12",
            "country": "KE",
            "address": "3 Copper Lane, Nakuru",
            "document_type": "passport",
            "document_number": "ZK-4711-PASS",
            "documents": [{"content": base64.b64encode(PICTURE).decode()}],
        },
    )
    await person.deposit(70_000, "KES")
    headers = {"Authorization": f"Bearer {person.token}"}

    refused = await http.delete("/v1/me", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "erasure_refused"), refused.text
    assert [blocker["code"] for blocker in refused.json()["blockers"]] == ["wallet_not_empty"]
    assert (await http.get("/v1/me", headers=headers)).status_code == 200, "a refusal changes nothing"

    place = {"provider": "sandbox", "destination": {"account": "0711999888"}, "label": "Zuleikha's phone"}
    saved = await person.call("POST", "/v1/payout-destinations", place)
    order = {"wallet_id": (await person.wallet("KES"))["id"], "amount": 70_000, "currency": "KES", "destination_id": saved["id"]}
    withdrawn = await http.post(
        "/v1/withdrawals", json=order, headers={**headers, "Idempotency-Key": "all-of-it", "Prefer": "wait=30"}
    )
    assert (withdrawn.json()["status"], withdrawn.json()["destination"]) == ("completed", {"account": "••••9888"})
    await told_of_the_destination(person)
    copy = await http.get("/v1/me/export", headers={**headers, "Prefer": "wait=30"})
    assert (copy.status_code, copy.headers["content-type"]) == (200, "application/zip"), copy.text
    files = contents(copy.content)
    assert files["auth/account.json"][0]["email"] == "zuleikha.mwamba@lendery.test"
    assert files["auth/identity_checks.json"][0]["details"]["document_number"] == "ZK-4711-PASS"
    assert [content for name, content in files.items() if name.startswith("auth/documents/")] == [PICTURE]
    assert [entry["amount_minor"] for entry in files["wallet_ledger/entries.json"]] == [-70_000, 70_000]
    assert files["payments/withdrawals.json"][0]["destination"] == {"account": "0711999888"}
    assert files["payments/payout_destinations.json"][0]["destination"] == {"account": "0711999888"}
    assert files["notifications/contact.json"][0]["full_name"] == "Zuleikha Mwamba"
    assert set(files["manifest.json"]["files"]) == set(files) - {"manifest.json"}
    assert {name.split("/")[0] for name in files if "/" in name} == set(SERVICES)

    gone = await http.delete("/v1/me", headers={**headers, "Prefer": "wait=30"})
    assert (gone.status_code, gone.json()["status"]) == (200, "erased"), gone.text
    assert (await http.get("/v1/me", headers=headers)).status_code == 401
    report = await http.get(gone.json()["report_url"])
    assert report.json()["report"] == gone.json()["report"]
    header, body, _ = (part + "==" for part in gone.json()["report"].split("."))
    assert json.loads(base64.urlsafe_b64decode(header))["typ"] == "erasure-report+jwt"
    services = json.loads(base64.urlsafe_b64decode(body))["services"]
    assert set(services) == set(SERVICES)
    assert services["payments"]["erased"]["payout_destinations"] == 1
    assert services["payments"]["erased"]["saved_destinations"] == 1
    assert all(services[name]["kept"] for name in SERVICES)
    as_token = await http.get("/v1/me", headers={"Authorization": f"Bearer {gone.json()['report']}"})
    assert as_token.status_code == 401, "the report is signed by the key of tokens, and is none"

    again = await http.post("/v1/auth/login", json={"email": person.email, "password": person.password})
    assert again.status_code == 401
    connection = await asyncpg.connect(database_url)
    try:
        await nothing_remains(connection, user_id)
    finally:
        await connection.close()
    kept = [path for path in (home / "data" / "files").rglob("*") if path.is_file()]
    assert kept == [], "neither documents nor the archive"


async def told_of_the_destination(person: Person) -> None:
    """The feed has it within a moment."""
    types: list[str] = []
    for _ in range(600):
        types = [notice["type"] for notice in (await person.call("GET", "/v1/notifications"))["items"]]
        if "payments.payout_destination.added" in types:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(types)


async def nothing_is_told_by_the_tables(http: httpx.AsyncClient, database_url: str) -> None:
    """Somebody gives a number, is sent money by their address, sends it back by the friend's, and has their credit assessed."""
    person = Person(http, "quillon-4711@lendery.test", "a password of theirs 42", "Quillon Were")
    friend = Person(http, "friend-4711@lendery.test", "a password of his 42", "Baraka Otieno")
    for somebody in (person, friend):
        await somebody.register()
        await somebody.log_in()
    await person.call("PATCH", "/v1/me", {"phone": PHONE})
    await friend.deposit(9_000, "KES")
    for sender, receiver in ((friend, person), (person, friend)):
        order = {"from_wallet_id": (await sender.wallet("KES"))["id"], "to": {"email": receiver.email.upper()}}
        await sender.call("POST", "/v1/transfers", order | {"amount": 9_000, "currency": "KES", "description": "lunch"})
    financials = {"employment_status": "beekeeper-4711", "annual_income": INCOME, "monthly_obligations": 1_000}
    await person.call("POST", "/v1/credit-assessments", {"currency": "KES", "financials": financials})
    assert (await person.call("GET", "/v1/credit-assessments/current"))["currency"] == "KES"
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM notifications.emails") > 0
        assert "auth.users.language" in await columns_with(connection, ["en"]), "whoever looks finds what is there"
        words = (person.email, friend.email, PHONE, PHONE[4:], str(INCOME), "beekeeper-4711")
        found = await columns_with(connection, words)
        assert found == set(), "nor do the messages between services"
        hashes = {hashlib.sha256(email.encode()).digest() for email in (person.email, friend.email)}
        assert not hashes & {row["email_index"] for row in await connection.fetch("SELECT email_index FROM wallet_ledger.people")}
        sessions = await connection.fetch("SELECT device, address FROM auth.sessions")
        assert sessions
        assert all(b"127.0.0.1" not in row["address"] and b"httpx" not in row["device"] for row in sessions)
    finally:
        await connection.close()


async def nothing_remains(connection: asyncpg.Connection, user_id: str) -> None:
    """The last letter goes out within a moment. Messages stay for some days, and say nothing of who it was."""
    for _ in range(1200):
        found = await where_found(connection)
        if not found:
            break
        await asyncio.sleep(0.1)
    assert found == set()
    letters = await connection.fetch("SELECT template FROM notifications.emails WHERE user_id = $1", user_id)
    assert [letter["template"] for letter in letters] == ["account_erased"]
