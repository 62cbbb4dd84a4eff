"""What runs by itself, and what the database holds against the service itself."""

import asyncio
import time
from datetime import timedelta

import asyncpg
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.auth.jobs import JOBS
from shared.service import Service
from tests.service.auth.conftest import MovableClock, Person, problem


async def test_old_rows_are_forgotten_and_young_ones_stay(
    client: httpx.AsyncClient, service: Service, amina: Person, clock: MovableClock, owner: asyncpg.Connection
) -> None:
    async def counts() -> list[int]:
        tables = ("sessions", "refresh_tokens", "mailed_links", "attempts")
        return [await owner.fetchval(f"SELECT count(*) FROM auth.{table}") for table in tables]

    job = next(job for job in JOBS if job.name == "forget_old_rows")
    before = await counts()
    assert min(before) >= 1
    await job.run(service.context)
    assert await counts() == before
    clock.ahead = timedelta(days=181)
    await job.run(service.context)
    assert await counts() == [0, 0, 0, 0]
    assert await owner.fetchval("SELECT count(*) FROM auth.users") == 2
    gone = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(gone) == (401, "refresh_token_invalid")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "DROP TABLE users", "TRUNCATE users"]
)
async def test_the_service_has_no_right_to_rewrite_history(service: Service, amina: Person, statement: str) -> None:
    async with service.database.engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await connection.execute(sa.text(statement))


async def test_health(client: httpx.AsyncClient) -> None:
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": {"state": "up"}})
    assert (await client.get("/healthz")).status_code == 200


async def test_logs_hold_no_personal_data(client: httpx.AsyncClient, amina: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "lendery")
    await client.post("/v1/auth/login", json={"email": amina.email, "password": "not this one"})
    await client.get("/v1/auth/pages/verify-email", params={"token": "secret-in-a-link"})
    deadline = time.monotonic() + 10
    while "/v1/auth/login" not in (text := " ".join(str(record.__dict__) for record in caplog.records)):
        assert time.monotonic() < deadline, "no line of the access log"
        await asyncio.sleep(0.02)  # its lines wait a moment and are written together
    for private in (amina.email, "not this one", "secret-in-a-link", "203.0.113.7"):
        assert private not in text
