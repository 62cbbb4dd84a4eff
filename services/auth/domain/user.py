"""An account."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.problems import AccountClosed

Status = Literal["active", "suspended", "closed"]


@dataclass(frozen=True)
class User:
    """Somebody who can log in. `email` is lower-case; `password_hash` is None where only another way in exists."""

    id: UUID
    email: str
    password_hash: str | None
    full_name: str
    phone: str | None
    language: str
    time_zone: str
    home_currency: str
    roles: tuple[str, ...]
    status: Status
    email_verified_at: datetime | None
    password_changed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    phone_verified_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether the account may be used."""
        return self.status == "active"

    def with_email_verified(self, now: datetime) -> Self:
        """The owner proved that the address is theirs."""
        return replace(self, email_verified_at=self.email_verified_at or now, updated_at=now)

    def with_password(self, password_hash: str, now: datetime) -> Self:
        """The owner chose another password."""
        return replace(self, password_hash=password_hash, password_changed_at=now, updated_at=now)

    def with_better_hash(self, password_hash: str) -> Self:
        """The same password, hashed in the present way."""
        return replace(self, password_hash=password_hash)

    def with_roles(self, roles: tuple[str, ...], now: datetime) -> Self:
        """An administrator gave the account these roles."""
        return replace(self, roles=roles, updated_at=now)

    def with_status(self, status: Status, now: datetime) -> Self:
        """An administrator suspended, reopened or closed the account. Raises `AccountClosed`: that is for ever."""
        if self.status == "closed" and status != "closed":
            raise AccountClosed("A closed account cannot be opened again. Ask its owner to register anew.")
        return replace(self, status=status, updated_at=now)


def new_user(
    *,
    user_id: UUID,
    email: str,
    password_hash: str | None,
    full_name: str,
    phone: str | None,
    home_currency: str,
    now: datetime,
) -> User:
    """An account as it is right after registration."""
    return User(
        id=user_id,
        email=email,
        password_hash=password_hash,
        full_name=full_name,
        phone=phone,
        language="en",
        time_zone="UTC",
        home_currency=home_currency,
        roles=("user",),
        status="active",
        email_verified_at=None,
        password_changed_at=None,
        created_at=now,
        updated_at=now,
    )
