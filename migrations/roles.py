"""A schema and a role for each service. Roles own nothing and reach nothing but their own schema."""

import os

from sqlalchemy import Connection, text

from migrations.schemas import SCHEMAS

_PREFIX_VARIABLE = "LENDERY_DB_ROLE_PREFIX"


def role_of(schema: str) -> str:
    """The role of the service that owns `schema`."""
    return f"{os.environ.get(_PREFIX_VARIABLE, 'lendery')}_{schema}"


def create_schemas_and_roles(connection: Connection) -> None:
    """Make what is missing; safe to run again. Needs the right to create roles and schemas."""
    connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    for schema in SCHEMAS:
        role = role_of(schema)
        exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
        if not exists:
            connection.execute(text(f'CREATE ROLE "{role}" NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT'))
        connection.execute(text(f'GRANT "{role}" TO CURRENT_USER'))
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        connection.execute(text(f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"'))
        connection.execute(
            text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema}" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{role}"')
        )
        connection.execute(text(f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{schema}" GRANT USAGE, SELECT ON SEQUENCES TO "{role}"'))
