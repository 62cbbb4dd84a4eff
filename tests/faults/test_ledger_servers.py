"""The ledger's servers break under it: each client sends again, with the same keys, what was not answered. In the end every
acknowledged transaction is there once, nothing else is, and the ledger verifies."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from migrations.runner import migrate
from runtime.postgres import embedded_server
from runtime.postgres.server import EmbeddedServer
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from shared.ids import new_id
from tests.support.identity import bearer, platform_for_tests

CLIENTS, STEPS, PATIENCE_SECONDS = 8, 30, 240


class Payer:
    """One client, who sends to the next and repeats each transfer until it is answered."""

    def __init__(self, http: httpx.AsyncClient, user_id: UUID, wallet_id: UUID) -> None:
        self._http = http
        self._headers = bearer(user_id)
        self.user_id = user_id
        self.wallet_id = wallet_id
        self.acknowledged: dict[str, str] = {}

    async def pay(self, to: UUID, enough: asyncio.Event) -> None:
        """Transfers of 1, one after the other: some at least, and until it is `enough`."""
        while len(self.acknowledged) < STEPS or not enough.is_set():
            key = str(new_id())
            body = {"from_wallet_id": str(self.wallet_id), "to": {"wallet_id": str(to)}, "amount": 1, "currency": "KES"}
            headers = self._headers | {"Idempotency-Key": key}
            while (answer := await self._http.post("/v1/transfers", headers=headers, json=body)).status_code != 201:
                assert answer.status_code >= 500, answer.text
                await asyncio.sleep(random.uniform(0.01, 0.1))
            self.acknowledged[key] = answer.json()["id"]
            await asyncio.sleep(random.uniform(0, 0.02))


async def open_payers(context: Context, http: httpx.AsyncClient) -> list[Payer]:
    """People with money."""
    payers = []
    for _ in range(CLIENTS):
        user_id = new_id()
        (wallet,) = (await http.get("/v1/wallets", headers=bearer(user_id))).json()["items"]
        payers.append(Payer(http, user_id, UUID(wallet["id"])))
        entry = Transfer(new_id(), "provider:test:KES", f"wallet:{wallet['id']}", 1_000, "KES")
        funding = Transaction(new_id(), "tests", str(new_id()), bytes(32), "deposit", (entry,))
        assert (await context.poster.post(funding)).posted
    return payers


async def some_more(payers: list[Payer]) -> None:
    """Wait until transfers are acknowledged: the servers break in the middle of work, and work goes on afterwards."""
    count = sum(len(payer.acknowledged) for payer in payers) + 2 * CLIENTS
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(len(payer.acknowledged) for payer in payers) < count:  # noqa: ASYNC110 they say it by counting
            await asyncio.sleep(0.005)


async def check(context: Context, payers: list[Payer], database_url: str) -> None:
    """What was acknowledged is there once, and nothing else."""
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "SELECT scope, idempotency_key, id, status FROM wallet_ledger.transactions WHERE kind = 'transfer'"
    )
    told = await connection.fetchval("SELECT count(*) FROM wallet_ledger.outbox WHERE type = 'wallet_ledger.transfer.completed'")
    await connection.close()
    found = sorted((row["scope"], row["idempotency_key"], str(row["id"])) for row in rows)
    expected = sorted((f"user:{payer.user_id}", key, id_) for payer in payers for key, id_ in payer.acknowledged.items())
    assert found == expected
    assert {row["status"] for row in rows} == {"posted"}
    assert told == len(rows) >= CLIENTS * STEPS
    report = await verify_ledger(context.database)
    assert report.sound, report.faults


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that a server of its own may use."""
    with tempfile.TemporaryDirectory(prefix="lendery-test-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "postgres"


def kill(server: EmbeddedServer) -> None:
    """As if the power went away."""
    server.process.kill()
    server.process.wait()


@pytest.mark.parametrize("end", [kill, EmbeddedServer.stop])
async def test_postgresql_ends_and_is_started_again(home: Path, end: Callable[[EmbeddedServer], None]) -> None:
    """The whole server dies without a goodbye, or is restarted in order as for an update: twice, with all it had committed."""
    async with AsyncExitStack() as exits:
        running = ExitStack()
        exits.callback(running.close)
        server = running.enter_context(embedded_server(home))
        await migrate(server.url)
        service = build(Settings(env="test", database_url=server.url, home_currency="KES"), platform_for_tests())
        exits.push_async_callback(service.database.dispose)
        assert service.resources is not None
        await exits.enter_async_context(service.resources())
        transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
        http = await exits.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://ledger", timeout=60))
        payers = await open_payers(service.context, http)
        broken = asyncio.Event()
        paying = [asyncio.create_task(payer.pay(payers[number - 1].wallet_id, broken)) for number, payer in enumerate(payers)]
        for _ in range(2):
            await some_more(payers)
            assert not any(task.done() for task in paying)
            await asyncio.to_thread(end, server)
            await asyncio.sleep(0.2)
            running.close()
            server = running.enter_context(embedded_server(home))
        await some_more(payers)
        broken.set()
        await asyncio.gather(*paying)

        await check(service.context, payers, server.url)
