"""Sealing anew, under the active key, what older keys sealed: in batches, while the platform runs.

What is left to do is seen from the values themselves, which name their key. So a run that was ended goes on where it was,
two runs at once do no harm, and what the platform writes meanwhile is sealed under the active key already.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto.blind_index import BlindIndex
from shared.crypto.vault import Undecryptable, Vault
from shared.db.database import Database


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values. `place` has the row's key in braces: what the values were sealed for.

    `was_clear`: values that are not sealed at all are from before the column was, and are sealed as well. With an `index`,
    that is made in the same statement, and a value without it is one of those.
    """

    table: str
    column: str
    place: str
    key: str = "id"
    was_clear: bool = False
    index: BlindIndex | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.table}.{self.column}"

    @property
    def clear(self) -> str:
        """The condition of values that were never sealed. Empty ones are erased."""
        unsealed = f"{self.index.column} IS NULL" if self.index else f"substring({self.column} for 1) <> '\\x01'::bytea"
        return f"{self.column} <> ''::bytea AND {unsealed}"

    @property
    def outdated(self) -> str:
        """The condition of values that the active key did not seal; $1 is what begins those that it did."""
        other_key = f"substring({self.column} for length($1::bytea)) <> $1::bytea"
        never = f" OR {self.index.column} IS NULL" if self.index else ""
        return f"{self.column} <> ''::bytea AND ({other_key}{never})"


@dataclass
class Resealed:
    """What a run did: values sealed anew, and those that do not open, by their row's key."""

    done: int = 0
    unreadable: list[str] = field(default_factory=list)


def header_of(vault: Vault) -> bytes:
    """What every value begins with that the active key sealed."""
    key_id = vault.active_key_id.encode()
    return bytes((1, len(key_id))) + key_id


async def outdated(database: Database, vault: Vault, column: SealedColumn) -> int:
    """How many values of a column other keys sealed."""
    async with database.read() as connection:
        statement = f"SELECT count(*) FROM {column.table} WHERE {column.outdated}"  # noqa: S608 ours
        return int((await connection.exec_driver_sql(statement, (header_of(vault),))).scalar_one())


async def reseal(
    database: Database, vault: Vault, column: SealedColumn, *, batch: int = 200, tell: Callable[[int], None] = lambda done: None
) -> Resealed:
    """Seal every outdated value of a column anew, a transaction each `batch` rows; `tell` hears how many are done."""
    result = Resealed()
    await _pass(database, vault, column, batch, result, tell, column.outdated, header_of(vault))
    return result


async def seal_clear(database: Database, vault: Vault, *columns: SealedColumn, batch: int = 1_000) -> int:
    """Seal what is there from before its column was sealed, and say how much. Afterwards there is none left, whoever else
    did the same at the same time."""
    result = Resealed()
    for column in columns:
        while await _any_clear(database, column):
            await _pass(database, vault, column, batch, result, lambda done: None, column.clear)
    return result.done


def sealing_job(columns: Sequence[SealedColumn]) -> Callable[[Any], Awaitable[None]]:
    """The job of a service that seals what its columns still have in clear, after an upgrade that sealed them."""
    were_clear = [column for column in columns if column.was_clear]

    async def seal_what_is_clear(context: Any) -> None:
        await seal_clear(context.database, context.vault, *were_clear)

    return seal_what_is_clear


async def _any_clear(database: Database, column: SealedColumn) -> bool:
    async with database.read() as connection:
        statement = f"SELECT EXISTS (SELECT FROM {column.table} WHERE {column.clear})"  # noqa: S608 ours
        return bool((await connection.exec_driver_sql(statement)).scalar_one())


async def _pass(
    database: Database,
    vault: Vault,
    column: SealedColumn,
    batch: int,
    result: Resealed,
    tell: Callable[[int], None],
    condition: str,
    *parameters: object,
) -> None:
    """Once through the rows for which `condition` holds, in the order of their key."""
    after: object = None
    while True:
        async with database.engine.begin() as connection:
            rows = await _next(connection, column, batch, condition, *parameters, after=after)
            await _seal(connection, vault, column, rows, result)
        tell(result.done)
        if len(rows) < batch:
            return
        after = rows[-1].key


async def _next(
    connection: AsyncConnection, column: SealedColumn, batch: int, condition: str, *parameters: object, after: object = None
) -> Sequence[sa.Row[Any]]:
    """The next rows for which `condition` holds, locked: key, value, whether it was never sealed, what its index is within."""
    within = column.index.within if column.index and column.index.within else "NULL"
    values = [*parameters, batch]
    limit, behind = f"${len(values)}", ""
    if after is not None:
        values.append(after)
        behind = f"AND {column.key} > ${len(values)}"
    statement = (
        f"SELECT {column.key} AS key, {column.column} AS value, {column.clear} AS clear, {within} AS within "  # noqa: S608 ours
        f"FROM {column.table} WHERE {condition} {behind} ORDER BY {column.key} LIMIT {limit} FOR UPDATE"
    )
    return (await connection.exec_driver_sql(statement, tuple(values))).all()


async def _seal(
    connection: AsyncConnection, vault: Vault, column: SealedColumn, rows: Sequence[sa.Row[Any]], result: Resealed
) -> None:
    """Seal locked rows anew, and their index with them."""
    new = []
    for row in rows:
        place, value = column.place.format(row.key), bytes(row.value)
        try:
            plain = value if column.was_clear and row.clear else vault.decrypt(value, aad=place)
        except Undecryptable:
            result.unreadable.append(str(row.key))
            continue
        index = [column.index.of(vault, plain, row.within)] if column.index else []
        new.append((row.key, vault.encrypt(plain, aad=place), *index))
    if new:
        indexed = f", {column.index.column} = $3" if column.index else ""
        statement = f"UPDATE {column.table} SET {column.column} = $2{indexed} WHERE {column.key} = $1"  # noqa: S608 ours
        await connection.exec_driver_sql(statement, new)
        result.done += len(new)


def open_or_clear(vault: Vault, value: bytes, *, place: str) -> str:
    """A value of a column that was in clear once: sealed, from before, or empty because it was erased. Raises `Undecryptable`."""
    return vault.decrypt_text(value, aad=place) if value[:1] == b"\x01" else value.decode()
