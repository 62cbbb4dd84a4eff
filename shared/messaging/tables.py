"""The tables that every service which sends or consumes messages has in its own schema."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("clock_timestamp()")


def add_messaging_tables(metadata: MetaData) -> None:
    """Add `outbox`, `inbox` and `dead_letters` to a service's metadata; `migrations.steps` creates them."""
    outbox_table(metadata)
    inbox_table(metadata)
    dead_letters_table(metadata)


def outbox_table(metadata: MetaData) -> Table:
    """Messages written but not yet handed to the transport, and for some days those that were.

    `consumer` is null for "whoever subscribes"; a replayed dead letter names the one consumer that gets it.
    """
    table = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("message_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("partition_key", Text, nullable=False),
        Column("consumer", Text),
        Column("envelope", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("published_at", DateTime(timezone=True)),
        UniqueConstraint("message_id", name="outbox_message_id_key"),
        CheckConstraint("kind IN ('event', 'command')", name="outbox_kind_check"),
    )
    Index("outbox_unpublished_idx", table.c.id, postgresql_where=text("published_at IS NULL"))
    return table


def inbox_table(metadata: MetaData) -> Table:
    """Messages whose effect is committed."""
    table = Table(
        "inbox",
        metadata,
        Column("consumer", Text, nullable=False),
        Column("message_id", Uuid, nullable=False),
        Column("handled_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        PrimaryKeyConstraint("consumer", "message_id", name="inbox_pkey"),
    )
    Index("inbox_handled_at_idx", table.c.handled_at)
    return table


def dead_letters_table(metadata: MetaData) -> Table:
    """Messages that this service could not handle, for an operator to replay or discard.

    `envelope` is what arrived; when that was not an envelope, an object with its bytes in `base64`.
    """
    table = Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", Text, nullable=False),
        Column("message_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("envelope", JSONB, nullable=False),
        Column("error", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("status", Text, nullable=False, server_default=text("'dead'")),
        Column("first_failed_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("last_failed_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        UniqueConstraint("consumer", "message_id", name="dead_letters_message_key"),
        CheckConstraint("status IN ('dead', 'replayed', 'discarded')", name="dead_letters_status_check"),
    )
    Index("dead_letters_waiting_idx", table.c.id, postgresql_where=text("status = 'dead'"))
    return table
