"""The tables of identity checks."""

import sqlalchemy as sa

from services.auth.store.metadata import instant, metadata

# `details` is sealed JSON: name, date of birth, address and document number.
kyc_submissions = sa.Table(
    "kyc_submissions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name="kyc_submissions_user_id_fkey"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("document_type", sa.Text, nullable=False),
    sa.Column("details", sa.LargeBinary, nullable=False),
    instant("submitted_at"),
    instant("decided_at", nullable=True),
    sa.Column("decided_by", sa.Uuid),
    sa.Column("reason", sa.Text),
    sa.Column("level", sa.SmallInteger),
    sa.Column("expires_on", sa.Date),
    instant("reminded_at", nullable=True),
    sa.Column("claimed_by", sa.Uuid),
    instant("claimed_at", nullable=True),
    sa.Column("provider", sa.Text),
    sa.Column("provider_reference", sa.Text),
    instant("next_check_at", nullable=True),
    sa.Column("purge_on", sa.Date),  # its owner was forgotten: it is kept until then
    sa.CheckConstraint("status IN ('pending', 'approved', 'rejected', 'expired')", name="kyc_submissions_status_check"),
    sa.CheckConstraint("(status = 'pending') = (decided_at IS NULL)", name="kyc_submissions_decided_check"),
    sa.CheckConstraint("(status = 'rejected') = (reason IS NOT NULL)", name="kyc_submissions_reason_check"),
    sa.CheckConstraint(
        "(status IN ('approved', 'expired')) = (level IS NOT NULL AND expires_on IS NOT NULL)", name="kyc_submissions_level_check"
    ),
    sa.Index("kyc_submissions_user_id_idx", "user_id", "id"),
    sa.Index("kyc_submissions_status_idx", "status", "id"),
)
sa.Index("kyc_submissions_open_key", kyc_submissions.c.user_id, unique=True, postgresql_where=sa.text("status = 'pending'"))
sa.Index("kyc_submissions_expires_on_idx", kyc_submissions.c.expires_on, postgresql_where=sa.text("status = 'approved'"))

# What a person handed in as proof. The content is a sealed file; its name follows from the ids.
kyc_documents = sa.Table(
    "kyc_documents",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "submission_id", sa.Uuid, sa.ForeignKey(kyc_submissions.c.id, name="kyc_documents_submission_id_fkey"), nullable=False
    ),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Index("kyc_documents_submission_id_idx", "submission_id"),
)

# What providers told us unasked: that they did, and about what. Nothing else of it is kept, and nothing of it is believed.
kyc_events = sa.Table(
    "kyc_events",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    instant("received_at"),
    sa.UniqueConstraint("provider", "event_key", name="kyc_events_provider_event_key_key"),
    sa.Index("kyc_events_received_at_idx", "received_at"),
)
