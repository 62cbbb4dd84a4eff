"""Second factors, recovery codes, codes that are sent, logins that wait for a second factor, and passkeys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "auth_0003"
down_revision = "auth_0002"
branch_labels = None
depends_on = None

_SCHEMA = "auth"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _user_id(table: str) -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey("auth.users.id", name=f"{table}_user_id_fkey"), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.add_column("users", _instant("phone_verified_at", nullable=True), schema=_SCHEMA)
    op.add_column("sessions", _instant("mfa_at", nullable=True), schema=_SCHEMA)
    _create_factors()
    _create_codes()
    _create_passkeys()


def _create_factors() -> None:
    op.create_table(
        "second_factors",
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
        schema=_SCHEMA,
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid, primary_key=True),
        _user_id("recovery_codes"),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        _instant("created_at"),
        _instant("used_at", nullable=True),
        sa.UniqueConstraint("user_id", "code_hash", name="recovery_codes_user_id_code_hash_key"),
        schema=_SCHEMA,
    )


def _create_codes() -> None:
    op.create_table(
        "sent_codes",
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
        schema=_SCHEMA,
    )
    op.create_index("sent_codes_expires_at_idx", "sent_codes", ["expires_at"], schema=_SCHEMA)
    op.create_table(
        "pending_logins",
        sa.Column("id", sa.Uuid, primary_key=True),
        _user_id("pending_logins"),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("methods", ARRAY(sa.Text), nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="pending_logins_token_hash_key"),
        schema=_SCHEMA,
    )
    op.create_index("pending_logins_expires_at_idx", "pending_logins", ["expires_at"], schema=_SCHEMA)
    op.create_index("pending_logins_user_id_idx", "pending_logins", ["user_id"], schema=_SCHEMA)


def _create_passkeys() -> None:
    op.create_table(
        "passkeys",
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
        schema=_SCHEMA,
    )
    op.create_index("passkeys_user_id_idx", "passkeys", ["user_id", "id"], schema=_SCHEMA)
    op.create_table(
        "passkey_challenges",
        sa.Column("challenge", sa.LargeBinary, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("subject", sa.Uuid),
        _instant("expires_at"),
        sa.CheckConstraint("purpose IN ('register', 'login', 'second_factor')", name="passkey_challenges_purpose_check"),
        sa.CheckConstraint("(purpose = 'login') = (subject IS NULL)", name="passkey_challenges_subject_check"),
        schema=_SCHEMA,
    )
    op.create_index("passkey_challenges_expires_at_idx", "passkey_challenges", ["expires_at"], schema=_SCHEMA)
