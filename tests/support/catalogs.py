"""What there is in a database, read from PostgreSQL's own tables: names, rows, and a fingerprint of all but the rows."""

import asyncpg

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_KEPT = f"""
    SELECT 'class', t.oid, concat_ws('|', t.oid, relname, relnamespace, relowner, relkind, relpersistence, relacl, reloptions,
        relrowsecurity, relforcerowsecurity, relreplident, relispartition, relam)
        FROM pg_class t JOIN pg_namespace n ON n.oid = relnamespace WHERE {_OURS}
    UNION ALL
    SELECT 'column', attrelid, concat_ws('|', attname, atttypid, atttypmod, attnum, attnotnull, atthasdef, attidentity,
        attgenerated, attisdropped, attacl, attcollation, attoptions)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE {_OURS}
    UNION ALL
    SELECT 'namespace', n.oid, n::text FROM pg_namespace n WHERE {_OURS}
    UNION ALL
    SELECT 'settings', setrole, setconfig::text FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'database', 0, concat_ws('|', datdba, datacl, datconnlimit, datistemplate)
        FROM pg_database WHERE datname = current_database()
"""

_WHOLE = (
    "pg_attrdef", "pg_cast", "pg_constraint", "pg_default_acl", "pg_enum", "pg_event_trigger", "pg_extension", "pg_index",
    "pg_inherits", "pg_policy", "pg_proc", "pg_publication", "pg_rewrite", "pg_sequence", "pg_statistic_ext", "pg_trigger",
    "pg_type",
)  # fmt: skip
"""Catalogs of which no column changes by itself."""

_OWN_KEY = {"pg_index": "indexrelid", "pg_inherits": "inhrelid", "pg_sequence": "seqrelid"}
_FIRST_OF_USERS = 16384
_FINGERPRINT = (
    "SELECT coalesce(sum(hashtextextended(concat_ws('/', kind, id, what), 0)), 0)::text || '/' || count(*)"
    " FROM ("
    + _KEPT
    + "".join(
        f"UNION ALL SELECT '{name}', {(key := _OWN_KEY.get(name, 'oid'))}, t::text FROM {name} t"
        f" WHERE {key} >= {_FIRST_OF_USERS} "
        + ("AND typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_')" if name == "pg_type" else "")
        for name in _WHOLE
    )
    + ") AS found (kind, id, what)"
)


async def fingerprint(connection: asyncpg.Connection) -> str:
    """The same as long as nothing but rows changes, whatever was done in between."""
    return str(await connection.fetchval(_FINGERPRINT))


async def tables(connection: asyncpg.Connection) -> list[str]:
    """Every table that has rows of its own, quoted and with its schema."""
    found = await connection.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind = 'r' AND {_OURS} ORDER BY 1"
    )
    return [row["name"] for row in found]


async def with_rows(connection: asyncpg.Connection, among: list[str]) -> list[str]:
    """Those of the tables `among` that are not empty."""
    if not among:
        return []
    looks = ", ".join(f"EXISTS (SELECT FROM {table})" for table in among)
    found = await connection.fetchval(f"SELECT ARRAY[{looks}]")
    return [table for table, has_rows in zip(among, found, strict=True) if has_rows]


async def digest(connection: asyncpg.Connection, table: str) -> str:
    """Equal for equal rows, in whatever order."""
    return str(
        await connection.fetchval(f"SELECT count(*) || '/' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} AS t")
    )


async def sequences(connection: asyncpg.Connection) -> dict[str, tuple[int, bool]]:
    """Every sequence: where it stands, and whether that number was given out."""
    found = await connection.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_sequence_last_value(c.oid) AS value, seqstart AS start"
        f" FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}"
    )
    return {row["name"]: (row["value"] or row["start"], row["value"] is not None) for row in found}
