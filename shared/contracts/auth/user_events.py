"""What happened to an account."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class _AboutPerson(Event):
    """Who somebody is and how to reach them is sealed on the way. Version 1 had it in clear and is still read."""

    version: ClassVar[int] = 2
    sealed_fields: ClassVar[frozenset[str]] = frozenset({"email", "full_name", "phone"})
    clear_versions: ClassVar[tuple[int, ...]] = (1,)


class UserRegistered(_AboutPerson):
    """Somebody opened an account."""

    type: ClassVar[str] = "auth.user.registered"

    user_id: UUID
    email: str
    full_name: str
    phone: str | None = None
    language: str = "en"
    home_currency: str
    email_verified: bool
    roles: list[str]
    registered_at: datetime


class EmailVerified(_AboutPerson):
    """The owner of an account proved that the address is theirs."""

    type: ClassVar[str] = "auth.user.email_verified"

    user_id: UUID
    email: str


class UserUpdated(_AboutPerson):
    """An account's profile, roles or status changed; these are the values now."""

    type: ClassVar[str] = "auth.user.updated"

    user_id: UUID
    email: str
    full_name: str
    phone: str | None = None
    language: str = "en"
    roles: list[str]
    status: str


class PasswordChanged(_AboutPerson):
    """The password of an account was changed or reset; every session but the present one has ended."""

    type: ClassVar[str] = "auth.user.password_changed"

    user_id: UUID
    email: str


class SessionReuseDetected(Event):
    """An old refresh token was used again: the whole family of tokens was revoked."""

    type: ClassVar[str] = "auth.session.reuse_detected"

    user_id: UUID
    session_id: UUID
