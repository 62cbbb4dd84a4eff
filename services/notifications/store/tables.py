"""Every table of the notifications schema."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import add_shared_tables

metadata = MetaData(schema="notifications")
add_shared_tables(metadata)

# Where and how to reach a person, as auth's events last told it; `as_of` is the time of that event.
contacts = Table(
    "contacts",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("email", LargeBinary, nullable=False),  # sealed, as is `full_name`
    Column("full_name", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
)

# The in-app feed. One event is told to one person once.
notifications = Table(
    "notifications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("read_at", DateTime(timezone=True)),
    UniqueConstraint("event_id", "user_id", name="notifications_event_id_user_id_key"),
)
Index("notifications_user_id_id_idx", notifications.c.user_id, desc(notifications.c.id))
Index(
    "notifications_unread_idx",
    notifications.c.user_id,
    desc(notifications.c.id),
    postgresql_where=text("read_at IS NULL"),
)

# E-mails to send and sent, for a while. `content` is sealed JSON: subject, text, html. That of a secret e-mail (links, codes)
# is dropped as soon as it is sent or given up. `user_id` is whose business it is; `recipient` is sealed.
emails = Table(
    "emails",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dedupe_key", Text, nullable=False),
    Column("user_id", Uuid),
    Column("template", Text, nullable=False),
    Column("recipient", LargeBinary, nullable=False),
    Column("content", LargeBinary),
    Column("secret", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("give_up_at", DateTime(timezone=True), nullable=False),
    Column("failure", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    UniqueConstraint("dedupe_key", name="emails_dedupe_key_key"),
    CheckConstraint("status IN ('pending', 'sent', 'failed')", name="emails_status_check"),
    CheckConstraint("(status = 'pending') = (settled_at IS NULL)", name="emails_settled_at_check"),
    CheckConstraint("status <> 'pending' OR content IS NOT NULL", name="emails_content_check"),
)
Index("emails_due_idx", emails.c.next_attempt_at, emails.c.id, postgresql_where=text("status = 'pending'"))
Index("emails_settled_at_idx", emails.c.settled_at)

# Text messages to send and sent. `content` is sealed JSON: number and words. Both are codes and where they go, so they are
# dropped as soon as a message is sent or given up. `reference` is the provider's own.
texts = Table(
    "texts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("template", Text, nullable=False),
    Column("content", LargeBinary),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("give_up_at", DateTime(timezone=True), nullable=False),
    Column("reference", Text),
    Column("failure", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'sent', 'failed')", name="texts_status_check"),
    CheckConstraint("(status = 'pending') = (settled_at IS NULL)", name="texts_settled_at_check"),
    CheckConstraint("(status = 'pending') = (content IS NOT NULL)", name="texts_content_check"),
)
Index("texts_due_idx", texts.c.next_attempt_at, texts.c.id, postgresql_where=text("status = 'pending'"))
Index("texts_settled_at_idx", texts.c.settled_at)
