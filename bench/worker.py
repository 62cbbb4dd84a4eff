"""As a child: the jobs of wallet-ledger on their schedule, as a worker's deployment runs them, but sealing every second.

Its ten seconds are longer than a measurement, whose sealing would then be done at the expense of the next one.
"""

import asyncio
from dataclasses import replace

from services.wallet_ledger.main import build
from services.wallet_ledger.settings import Settings
from shared.jobs import JobRunner
from shared.service import Platform

SEAL_EVERY_SECONDS = 1.0


async def _work() -> None:
    settings = Settings()
    service = build(settings, Platform.of(settings))
    assert service.resources is not None
    jobs = [replace(job, every_seconds=SEAL_EVERY_SECONDS) if job.name == "seal blocks" else job for job in service.jobs]
    async with service.resources():
        await JobRunner(service.name, service.database, service.context, jobs).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work())
