"""The caller of a request, as its verified access token names it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["user", "support", "admin", "partner"]


@dataclass(frozen=True)
class Principal:
    """Who is calling. Made only from a verified token."""

    user_id: UUID
    roles: frozenset[str]
    scopes: frozenset[str] = frozenset()
    email_verified: bool = False
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    methods: frozenset[str] = frozenset()

    def has_role(self, *roles: Role) -> bool:
        """Whether the caller has at least one of `roles`."""
        return not self.roles.isdisjoint(roles)
