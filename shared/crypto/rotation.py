"""Sealing anew, under the active key, what older keys sealed: in batches, while the platform runs.

What is left to do is seen from the values themselves, which name their key. So a run that was ended goes on where it was,
two runs at once do no harm, and what the platform writes meanwhile is sealed under the active key already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto.vault import Undecryptable, Vault
from shared.db.database import Database


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values. `place` has the row's key in braces: what the values were sealed for.

    `was_clear`: values that are not sealed at all are from before the column was, and are sealed as well.
    """

    table: str
    column: str
    place: str
    key: str = "id"
    was_clear: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.table}.{self.column}"


@dataclass
class Resealed:
    """What a run did: values sealed anew, and those that do not open, by their row's key."""

    done: int = 0
    unreadable: list[str] = field(default_factory=list)


def _outdated(column: SealedColumn) -> str:
    """Values that the active key did not seal; $1 is what begins those that it did. Empty ones are erased."""
    return f"{column.column} <> ''::bytea AND substring({column.column} for length($1::bytea)) <> $1::bytea"


def header_of(vault: Vault) -> bytes:
    """What every value begins with that the active key sealed."""
    key_id = vault.active_key_id.encode()
    return bytes((1, len(key_id))) + key_id


async def outdated(database: Database, vault: Vault, column: SealedColumn) -> int:
    """How many values of a column other keys sealed."""
    async with database.read() as connection:
        statement = f"SELECT count(*) FROM {column.table} WHERE {_outdated(column)}"  # noqa: S608 ours
        return int((await connection.exec_driver_sql(statement, (header_of(vault),))).scalar_one())


async def reseal(
    database: Database, vault: Vault, column: SealedColumn, *, batch: int = 200, tell: Callable[[int], None] = lambda done: None
) -> Resealed:
    """Seal every outdated value of a column anew, a transaction each `batch` rows; `tell` hears how many are done."""
    result = Resealed()
    after: object = None
    while True:
        async with database.engine.begin() as connection:
            rows = await _next(connection, vault, column, after, batch)
            for key, value in rows.items():
                if (sealed := _sealed_anew(vault, column, key, value)) is None:
                    result.unreadable.append(str(key))
                    continue
                statement = f"UPDATE {column.table} SET {column.column} = $2 WHERE {column.key} = $1"  # noqa: S608 ours
                await connection.exec_driver_sql(statement, (key, sealed))
                result.done += 1
        tell(result.done)
        if len(rows) < batch:
            return result
        after = list(rows)[-1]


async def _next(
    connection: AsyncConnection, vault: Vault, column: SealedColumn, after: object, batch: int
) -> Mapping[object, bytes]:
    """The next outdated values by their row's key, locked."""
    behind = "" if after is None else f"AND {column.key} > $3"
    statement = (
        f"SELECT {column.key}, {column.column} FROM {column.table} WHERE {_outdated(column)} {behind} "  # noqa: S608 ours
        f"ORDER BY {column.key} LIMIT $2 FOR UPDATE"
    )
    values = (header_of(vault), batch) if after is None else (header_of(vault), batch, after)
    rows: Sequence[Any] = (await connection.exec_driver_sql(statement, values)).all()
    return {row[0]: bytes(row[1]) for row in rows}


def _sealed_anew(vault: Vault, column: SealedColumn, key: object, value: bytes) -> bytes | None:
    place = column.place.format(key)
    if column.was_clear and value[:1] != b"\x01":
        return vault.encrypt(value, aad=place)
    try:
        return vault.encrypt(vault.decrypt(value, aad=place), aad=place)
    except Undecryptable:
        return None


def open_or_clear(vault: Vault, value: bytes, *, place: str) -> str:
    """A value of a column that was in clear once: sealed, or from before. Raises `Undecryptable`."""
    return vault.decrypt_text(value, aad=place) if value[:1] == b"\x01" else value.decode()
