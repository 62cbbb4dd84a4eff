"""The tables of second factors, sent codes and passkeys; part of the schema that `tables.py` begins."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.auth.store.tables import metadata, users


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _user_id(table: str) -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey(users.c.id, name=f"{table}_user_id_fkey"), nullable=False)


# `secret` is sealed: the key of an authenticator app, or the number that messages go to. E-mail goes to the account's
# address. `last_step` is the time step of the last code that was taken: no older one is.
second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("second_factors"),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary),
    sa.Column("last_step", sa.BigInteger),
    _instant("created_at"),
    _instant("confirmed_at", nullable=True),
    _instant("last_used_at", nullable=True),
    sa.UniqueConstraint("user_id", "method", name="second_factors_user_id_method_key"),
    sa.CheckConstraint("method IN ('totp', 'sms', 'email')", name="second_factors_method_check"),
    sa.CheckConstraint("(method = 'email') = (secret IS NULL)", name="second_factors_secret_check"),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("recovery_codes"),
    sa.Column("code_hash", sa.LargeBinary, nullable=False),
    _instant("created_at"),
    _instant("used_at", nullable=True),
    sa.UniqueConstraint("user_id", "code_hash", name="recovery_codes_user_id_code_hash_key"),
)

# Short codes sent by message. `subject` is what a code is good for: a login that waits, a session, or an account.
# `sent_to` is sealed; `code_hash` is keyed, because six digits are quickly tried. One code at a time for each subject.
sent_codes = sa.Table(
    "sent_codes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("sent_codes"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("subject", sa.Uuid, nullable=False),
    sa.Column("sent_to", sa.LargeBinary, nullable=False),
    sa.Column("code_hash", sa.LargeBinary, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    _instant("created_at"),
    _instant("expires_at"),
    sa.UniqueConstraint("user_id", "purpose", "subject", name="sent_codes_subject_key"),
    sa.CheckConstraint(
        "purpose IN ('verify_phone', 'enrol_sms', 'enrol_email', 'sms', 'email')", name="sent_codes_purpose_check"
    ),
    sa.Index("sent_codes_expires_at_idx", "expires_at"),
)

# Logins whose first step was right and that wait for a second factor.
pending_logins = sa.Table(
    "pending_logins",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("pending_logins"),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("methods", ARRAY(sa.Text), nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("used_at", nullable=True),
    sa.UniqueConstraint("token_hash", name="pending_logins_token_hash_key"),
    sa.Index("pending_logins_expires_at_idx", "expires_at"),
    sa.Index("pending_logins_user_id_idx", "user_id"),
)

# `suspected_at` is when its counter went backwards, as that of a copied key does.
passkeys = sa.Table(
    "passkeys",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("passkeys"),
    sa.Column("credential_id", sa.LargeBinary, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("transports", ARRAY(sa.Text), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("backed_up", sa.Boolean, nullable=False),
    _instant("created_at"),
    _instant("last_used_at", nullable=True),
    _instant("suspected_at", nullable=True),
    sa.UniqueConstraint("credential_id", name="passkeys_credential_id_key"),
    sa.Index("passkeys_user_id_idx", "user_id", "id"),
)

# What a passkey is asked to sign; taken out when it comes back, so that it works once.
passkey_challenges = sa.Table(
    "passkey_challenges",
    metadata,
    sa.Column("challenge", sa.LargeBinary, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("user_id", sa.Uuid),
    sa.Column("subject", sa.Uuid),
    _instant("expires_at"),
    sa.CheckConstraint("purpose IN ('register', 'login', 'second_factor')", name="passkey_challenges_purpose_check"),
    sa.CheckConstraint("(purpose = 'login') = (subject IS NULL)", name="passkey_challenges_subject_check"),
    sa.Index("passkey_challenges_expires_at_idx", "expires_at"),
)

# Requests of operators to end every second factor of somebody who has lost them all.
factor_resets = sa.Table(
    "factor_resets",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _user_id("factor_resets"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Uuid, nullable=False),
    _instant("requested_at"),
    _instant("expires_at"),
    sa.Column("approved_by", sa.Uuid),
    _instant("approved_at", nullable=True),
    _instant("due_at", nullable=True),
    sa.Column("ended_by", sa.Uuid),
    _instant("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text),
    sa.CheckConstraint(
        "status IN ('awaiting_approval', 'waiting', 'done', 'declined', 'stopped', 'expired', 'void')",
        name="factor_resets_status_check",
    ),
    sa.CheckConstraint("(status IN ('awaiting_approval', 'waiting')) = (ended_at IS NULL)", name="factor_resets_ended_check"),
    sa.CheckConstraint(
        "(approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (due_at IS NULL)",
        name="factor_resets_approved_check",
    ),
    sa.CheckConstraint(
        "status NOT IN ('waiting', 'done') OR approved_by IS NOT NULL", name="factor_resets_approval_needed_check"
    ),
    sa.CheckConstraint(
        "requested_by <> user_id AND approved_by <> user_id AND approved_by <> requested_by",
        name="factor_resets_second_person_check",
    ),
    sa.Index("factor_resets_status_idx", "status", "id"),
    sa.Index("factor_resets_user_id_idx", "user_id", "id"),
)
sa.Index(
    "factor_resets_open_key",
    factor_resets.c.user_id,
    unique=True,
    postgresql_where=sa.text("status IN ('awaiting_approval', 'waiting')"),
)
