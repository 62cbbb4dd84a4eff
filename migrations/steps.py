"""What the first migration of several services has in common. Frozen: a later change of a shared table is a new step."""

from alembic import op


def create_shared_tables(schema: str) -> None:
    """Outbox, inbox, dead letters and idempotency keys, as `shared.db.tables.add_shared_tables` declares them."""
    create_messaging_tables(schema)
    create_idempotency_table(schema)


def create_messaging_tables(schema: str) -> None:
    """Outbox, inbox and dead letters. The outbox is all churn, so it is vacuumed early and often."""
    op.execute(f"""
        CREATE TABLE {schema}.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message_id uuid NOT NULL CONSTRAINT outbox_message_id_key UNIQUE,
            type text NOT NULL,
            kind text NOT NULL CONSTRAINT outbox_kind_check CHECK (kind IN ('event', 'command')),
            partition_key text NOT NULL,
            consumer text,
            envelope jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            published_at timestamptz
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """)
    op.execute(f"CREATE INDEX outbox_unpublished_idx ON {schema}.outbox (id) WHERE published_at IS NULL")
    op.execute(f"""
        CREATE TABLE {schema}.inbox (
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT inbox_pkey PRIMARY KEY (consumer, message_id)
        )
    """)
    op.execute(f"CREATE INDEX inbox_handled_at_idx ON {schema}.inbox (handled_at)")
    op.execute(f"""
        CREATE TABLE {schema}.dead_letters (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            type text NOT NULL,
            envelope jsonb NOT NULL,
            error text NOT NULL,
            attempts integer NOT NULL,
            status text NOT NULL DEFAULT 'dead'
                CONSTRAINT dead_letters_status_check CHECK (status IN ('dead', 'replayed', 'discarded')),
            first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            last_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT dead_letters_message_key UNIQUE (consumer, message_id)
        )
    """)
    op.execute(f"CREATE INDEX dead_letters_waiting_idx ON {schema}.dead_letters (id) WHERE status = 'dead'")


def create_idempotency_table(schema: str) -> None:
    """Keys of requests that move money, with the first answer."""
    op.execute(f"""
        CREATE TABLE {schema}.idempotency_keys (
            owner text NOT NULL,
            key text NOT NULL,
            fingerprint bytea NOT NULL,
            status smallint NOT NULL,
            media_type text NOT NULL,
            body jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (owner, key)
        )
    """)
    op.execute(f"CREATE INDEX idempotency_keys_created_at ON {schema}.idempotency_keys (created_at)")


def create_sagas_table(schema: str) -> None:
    """Sagas under way and ended, one row each, and an index of those that have a deadline."""
    op.execute(f"""
        CREATE TABLE {schema}.sagas (
            kind text NOT NULL,
            id uuid NOT NULL,
            state text NOT NULL,
            data jsonb NOT NULL,
            deadline_at timestamptz,
            version bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT sagas_pkey PRIMARY KEY (kind, id)
        ) WITH (fillfactor = 70)
    """)
    op.execute(f"CREATE INDEX sagas_due_idx ON {schema}.sagas (kind, deadline_at) WHERE deadline_at IS NOT NULL")
