"""Background work on a schedule: each job runs in one process at a time, whatever the number of workers."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.db.database import Database
from shared.telemetry import metrics, trace

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Run a use case every so many seconds. `run` gets the service's context; it must be safe to run twice."""

    name: str
    every_seconds: float
    run: Callable[[Any], Awaitable[None]]


class JobRunner:
    """Runs a service's jobs until it is stopped."""

    def __init__(self, service: str, database: Database, context: object, jobs: Sequence[Job]) -> None:
        self._service = service
        self._database = database
        self._context = context
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin running every job on its schedule."""
        self._tasks = [asyncio.create_task(self._repeat(job), name=f"job {job.name}") for job in self._jobs]

    async def stop(self) -> None:
        """End all jobs; one that is in the middle of a transaction rolls back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(job.every_seconds * random.uniform(0.9, 1.1))  # noqa: S311
            outcome = "done"
            try:
                with trace.span(None):
                    if not await self._run_alone(job):
                        outcome = "elsewhere"
            except Exception:
                outcome = "failed"
                _log.exception("job failed; it runs again on schedule", extra={"job": job.name})
            metrics.JOB_RUNS.labels(self._service, job.name, outcome).inc()

    async def _run_alone(self, job: Job) -> bool:
        key = sa.func.hashtextextended(f"job {self._service} {job.name}", 0)
        async with self._database.engine.connect() as connection:
            if not (await connection.execute(sa.select(sa.func.pg_try_advisory_lock(key)))).scalar_one():
                return False
            try:
                await connection.commit()
                await job.run(self._context)
            finally:
                await connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
                await connection.commit()
        return True
