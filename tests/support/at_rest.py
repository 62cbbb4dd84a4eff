"""What somebody reads who has the tables and no keys."""

from collections.abc import Collection

import asyncpg

_READABLE = ("text", "jsonb", "json", "bytea", "ARRAY", "character varying", "USER-DEFINED", "inet")


async def columns_with(connection: asyncpg.Connection, words: Collection[str]) -> set[str]:
    """`schema.table.column` of every column of the platform's, of any type that holds text, in which one of `words` stands in
    clear: as text, as bytes, or as the numbers of a JSON document. Small and capital letters are the same."""
    columns = await connection.fetch(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) WHERE table_type = 'BASE TABLE' "
        "AND table_schema NOT IN ('information_schema', 'pg_catalog') AND data_type = ANY ($1)",
        _READABLE,
    )
    found = set()
    for schema, table, column, kind in columns:
        # Bytes one to one as characters, so that the words of any encoding that begins like ASCII are seen.
        value = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
        for row in await connection.fetch(f'SELECT {value} AS value FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL'):
            if any(word.lower() in row["value"].lower() for word in words):
                found.add(f"{schema}.{table}.{column}")
    return found
