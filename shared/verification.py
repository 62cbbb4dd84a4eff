"""Proving what is stored: named checks that recompute it, on one snapshot, a stretch at a time.

A service that can prove its tables has a table `CHECKS` in its `checks.py`; `lendery verify` runs those of every service. A check
walks its rows in stretches (bounded memory), calls `advance` after each (progress), and says of the first thing that does not
add up where it is and what. It only reads, and posting goes on meanwhile.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.database import Database


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not add up. `where` names the first row at which it shows.

    `position` is the row's place in the order in which things were written, where that is known: the first fault of all is
    the one with the lowest.
    """

    check: str
    where: str
    what: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come: rows done and to do, over all checks, and rows a second so far."""

    check: str
    done: int
    total: int
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The result: the first fault of each check, and how much of what was looked at."""

    faults: tuple[Fault, ...]
    counts: dict[str, int]
    rows: int
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether everything adds up."""
        return not self.faults

    @property
    def first_fault(self) -> Fault | None:
        """The one that was written first; of those whose place is not known, the first that was found."""
        return min(self.faults, key=lambda fault: (fault.position is None, fault.position or 0), default=None)

    @property
    def rows_per_second(self) -> float:
        """The rate."""
        return self.rows / self.seconds if self.seconds else 0.0


Tell = Callable[[Progress], None]


@dataclass
class Walk:
    """One verification under way: the snapshot, what was counted, what was found. `counts` is for the report and later checks."""

    connection: AsyncConnection
    tell: Tell
    check: str = ""
    total: int = 0
    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @property
    def found(self) -> bool:
        """Whether the present check has found a fault. It may end, or go on to count what later checks compare."""
        return any(fault.check == self.check for fault in self.faults)

    def fault(self, where: str, what: str, *, position: int | None = None) -> None:
        """Report a fault of the present check. Only one is kept: the one with the lowest position, else the first."""
        mine = next((number for number, fault in enumerate(self.faults) if fault.check == self.check), None)
        if mine is None:
            self.faults.append(Fault(self.check, where, what, position))
        elif position is not None and position < (self.faults[mine].position or 2**63):
            self.faults[mine] = Fault(self.check, where, what, position)

    def advance(self, rows: int) -> None:
        """Tell that `rows` more are done."""
        self.done += rows
        seconds = time.perf_counter() - self.started
        self.tell(Progress(self.check, min(self.done, self.total), self.total, self.done / seconds if seconds else 0.0))

    async def rows(self, statement: str, *values: Any) -> Sequence[Any]:
        """The rows of a statement, which must be about one stretch."""
        return (await self.connection.exec_driver_sql(statement, values)).all()

    async def one(self, statement: str, *values: Any) -> Any:
        """The one row of a statement."""
        return (await self.connection.exec_driver_sql(statement, values)).one()

    async def first(self, statement: str, *values: Any) -> Any:
        """The first row of a statement, or None."""
        return (await self.connection.exec_driver_sql(statement, values)).first()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to prove. `size` says how many rows `run` will tell of, for the progress."""

    name: str
    run: Callable[[Walk], Awaitable[None]]
    size: Callable[[Walk], Awaitable[int]]


async def run_checks(database: Database, checks: Sequence[Check], tell: Tell = lambda _: None) -> Report:
    """Run every check of one service on one snapshot of its schema. Read-only."""
    started = time.perf_counter()
    async with _snapshot(database) as connection:
        walk = Walk(connection, tell)
        for check in checks:
            walk.total += await check.size(walk)
        for check in checks:
            walk.check = check.name
            await check.run(walk)
    return Report(tuple(walk.faults), dict(walk.counts), walk.done, time.perf_counter() - started)


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection
