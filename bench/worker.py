"""As a child: the jobs of wallet-ledger, sealing among them, on their schedule, as a worker's deployment runs them."""

import asyncio

from services.wallet_ledger.main import build
from services.wallet_ledger.settings import Settings
from shared.jobs import JobRunner
from shared.service import Platform


async def _work() -> None:
    settings = Settings()
    service = build(settings, Platform.of(settings))
    assert service.resources is not None
    async with service.resources():
        await JobRunner(service.name, service.database, service.context, service.jobs).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work())
