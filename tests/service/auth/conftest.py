"""The auth service on a database of its own, and people who use it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.main import build
from services.auth.settings import Settings
from shared.service import Platform, Service
from tests.support.identity import OneKeyVerifier
from tests.support.sealed_messages import opened

PASSWORD = "a long enough secret"
ADMIN = {"email": "admin@lendery.test", "password": "admin-local-only"}
KYC = {
    "full_name": "Amina Wanjiru",
    "date_of_birth": "1990-01-31",
    "country": "KE",
    "address": "12 Moi Avenue, Nairobi",
    "document_type": "passport",
    "document_number": "A1234567",
}


class MovableClock:
    """The machine's clock, moved forward by what the test says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Person:
    """Somebody with an account, logged in."""

    id: UUID
    email: str
    tokens: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    """Overridden by tests that need other settings."""
    return {}


@pytest.fixture
async def service(
    database_url: str, clock: MovableClock, settings_changes: dict[str, Any], tmp_path: Path
) -> AsyncIterator[Service]:
    values: dict[str, Any] = {
        "env": "test",
        "database_url": database_url,
        "storage_url": (tmp_path / "files").as_uri(),
        "auth_hash_memory_kib": 8,
        "auth_hash_rounds": 1,
        "auth_quiet_seconds": 0,
    }
    settings = Settings(**{**values, **settings_changes})
    built = build(settings, Platform(clock, OneKeyVerifier()))
    assert built.resources is not None
    async with built.resources():
        yield built
    await built.database.dispose()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service.app, client=("203.0.113.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as http:
        yield http


@pytest.fixture
def sent(owner: asyncpg.Connection) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    """The payloads of one message type in the outbox as their receivers see them, oldest first."""

    async def read(message_type: str) -> list[dict[str, Any]]:
        rows = await owner.fetch("SELECT envelope FROM auth.outbox WHERE type = $1 ORDER BY id", message_type)
        return [opened(json.loads(row["envelope"])) for row in rows]

    return read


Sent = Callable[[str], Awaitable[list[dict[str, Any]]]]


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    answer = await client.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def register(client: httpx.AsyncClient, email: str, **fields: Any) -> Person:
    body = {"email": email, "password": PASSWORD, "full_name": "Amina Wanjiru", **fields}
    answer = await client.post("/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return Person(UUID(answer.json()["id"]), answer.json()["email"], await log_in(client, email, body["password"]))


@pytest.fixture
async def amina(client: httpx.AsyncClient) -> Person:
    return await register(client, "amina@example.com")


@pytest.fixture
async def baraka(client: httpx.AsyncClient) -> Person:
    return await register(client, "baraka@lendery.test", full_name="Baraka Otieno")


@pytest.fixture
async def admin(client: httpx.AsyncClient) -> Person:
    tokens = await log_in(client, **ADMIN)
    me = await client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    return Person(UUID(me.json()["id"]), ADMIN["email"], tokens)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document, whose other members are checked here."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["detail"]
    assert len(document["trace_id"]) == 32
    return answer.status_code, document["code"]


def token_in(mail: dict[str, Any]) -> str:
    """The secret in the link of a mail."""
    return str(parse_qs(urlsplit(mail["data"]["link"]).query)["token"][0])


async def at_once(*requests: Awaitable[httpx.Response]) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))
