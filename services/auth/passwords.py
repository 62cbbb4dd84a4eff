"""Password hashes: argon2id, computed on a bounded number of threads so that logins never slow other requests."""

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from passlib.context import CryptContext

from services.auth.settings import Settings
from shared.problems import ServiceUnavailable

T = TypeVar("T")

_NICENESS = 10


@dataclass(frozen=True)
class Verification:
    """Whether the password was right, and the hash to store instead when the old one is of a weaker kind."""

    right: bool
    better_hash: str | None = None


class Passwords:
    """Hashes and verifies. bcrypt hashes brought from elsewhere are accepted, and replaced at the next login."""

    def __init__(self, settings: Settings) -> None:
        self._scheme = CryptContext(
            schemes=["argon2", "bcrypt"],
            deprecated=["bcrypt"],
            argon2__type="ID",
            argon2__memory_cost=settings.auth_hash_memory_kib,
            argon2__time_cost=settings.auth_hash_rounds,
            argon2__parallelism=1,
        )
        self._threads = ThreadPoolExecutor(settings.auth_hash_threads, thread_name_prefix="passwords", initializer=_step_back)
        self._turns = asyncio.Semaphore(settings.auth_hash_threads)
        self._waiting = 0
        self._waiting_max = settings.auth_hash_waiting_max
        # Verified against for unknown accounts, so that they cost what known ones cost.
        self._nobodys_hash: str = self._scheme.hash(secrets.token_urlsafe())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["Turn"]:
        """Wait for a thread; everything done inside the block counts as holding it.

        Whoever limits attempts reads the counters inside: so no more guesses can be under way than there are threads.
        Raises `ServiceUnavailable` when too many wait already.
        """
        if self._waiting >= self._waiting_max:
            raise ServiceUnavailable("Too many people are logging in at this moment. Try again.", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield Turn(self._threads, self._scheme, self._nobodys_hash)
        finally:
            self._turns.release()

    async def hash(self, password: str) -> str:
        """The hash to store, with its salt and parameters."""
        async with self.turn() as turn:
            return await turn.hash(password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Where threads have a priority of their own (Linux), those that hash let everything else go first."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class Turn:
    """The right to use one thread."""

    def __init__(self, threads: ThreadPoolExecutor, scheme: CryptContext, nobodys_hash: str) -> None:
        self._threads = threads
        self._scheme = scheme
        self._nobodys_hash = nobodys_hash

    async def hash(self, password: str) -> str:
        """The hash to store, with its salt and parameters."""
        return await self._run(lambda: str(self._scheme.hash(password)))

    async def verify(self, stored_hash: str | None, password: str) -> Verification:
        """Whether `password` belongs to `stored_hash`; with no hash the answer is no, at the same cost."""
        return await self._run(lambda: self._verify(stored_hash, password))

    def _verify(self, stored_hash: str | None, password: str) -> Verification:
        try:
            right, better = self._scheme.verify_and_update(password, stored_hash or self._nobodys_hash)
        except ValueError:  # no hash that we know, or bcrypt, which takes 72 bytes and no NUL
            return Verification(right=False)
        return Verification(right, better) if stored_hash else Verification(right=False)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
