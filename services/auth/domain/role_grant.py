"""Roles that one administrator asks for and another one gives: nobody makes an operator alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.problems import RoleGrantDecided, SecondPersonRequired

GrantStatus = Literal["awaiting_approval", "approved", "declined", "expired"]

OPERATOR_ROLES = frozenset({"support", "admin"})
"""Roles that reach what belongs to others."""


@dataclass(frozen=True)
class RoleGrant:
    """Roles asked for by `requested_by`, to be added to what `user_id` has."""

    id: UUID
    user_id: UUID
    roles: tuple[str, ...]
    status: GrantStatus
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    def as_of(self, now: datetime) -> Self:
        """The same, expired if nobody decided in time."""
        if self.status == "awaiting_approval" and now >= self.expires_at:
            return replace(self, status="expired", decided_at=self.expires_at)
        return self

    def approve(self, admin_id: UUID, now: datetime) -> Self:
        """Given by a second person; approved before, it stays as it is. Raises `SecondPersonRequired`, `RoleGrantDecided`."""
        if admin_id in (self.requested_by, self.user_id):
            raise SecondPersonRequired("Neither who asked for it nor who gets it can approve it. Ask another administrator.")
        present = self.as_of(now)
        if present.status == "approved":
            return present
        present._refuse_decided()
        return replace(present, status="approved", decided_by=admin_id, decided_at=now)

    def decline(self, admin_id: UUID, reason: str | None, now: datetime) -> Self:
        """Refused, or taken back by who asked; declined before, it stays as it is. Raises `RoleGrantDecided`."""
        present = self.as_of(now)
        if present.status == "declined":
            return present
        present._refuse_decided()
        return replace(present, status="declined", decided_by=admin_id, decided_at=now, reason=reason)

    def _refuse_decided(self) -> None:
        if self.status != "awaiting_approval":
            raise RoleGrantDecided(f"It is {self.status}. Ask for the roles again if they are still needed.")


def needs_second_person(roles: Iterable[str]) -> tuple[str, ...]:
    """Those of `roles` that two administrators must agree on."""
    return tuple(sorted(OPERATOR_ROLES & set(roles)))
