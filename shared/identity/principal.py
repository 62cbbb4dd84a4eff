"""The caller of a request, as its verified access token names it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Role = Literal["user", "support", "admin", "partner"]

STEP_UP_MAX_AGE = timedelta(minutes=10)
"""How fresh the proof of who is there must be for what matters most."""
_CLOCK_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class Principal:
    """Who is calling. Made only from a verified token.

    `methods` are the ways in which the person logged in (RFC 8176 names where there are any). `mfa` says whether the
    account has a second factor, `mfa_at` when one was last given in this session, and `step_up_methods` what
    `POST /v1/auth/step-up` would take. A partner's API client acts for the person `user_id`: `client_id` says which one,
    `grant_id` what ends its tokens as a session's end does a person's, and `requests_per_minute` how often it may call where
    that differs from what everybody may. `csrf` is the digest of the CSRF token of a session that is held in cookies.
    """

    user_id: UUID
    roles: frozenset[str]
    scopes: frozenset[str] = frozenset()
    email_verified: bool = False
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    methods: frozenset[str] = frozenset()
    mfa: bool = False
    mfa_at: datetime | None = None
    step_up_methods: tuple[str, ...] = ()
    client_id: UUID | None = None
    grant_id: UUID | None = None
    requests_per_minute: int | None = None
    csrf: str | None = None

    @property
    def kind(self) -> Literal["user", "client"]:
        """A person, or a partner's API client, which has no session."""
        return "client" if self.is_api_client else "user"

    def has_role(self, *roles: Role) -> bool:
        """Whether the caller has at least one of `roles`."""
        return not self.roles.isdisjoint(roles)

    @property
    def lives_by(self) -> UUID | None:
        """What the token lives and ends with: the session of a person, or the grant of an API client."""
        return self.session_id or self.grant_id

    @property
    def is_api_client(self) -> bool:
        """Whether a partner's program is calling, which has no session and nobody in front of it."""
        return self.session_id is None and self.roles == {"partner"}

    def stepped_up(self, now: datetime) -> bool:
        """Whether the person proved lately to be there: with the second factor where the account has one, else by a login."""
        return fresh_enough(self.mfa_at if self.mfa else self.authenticated_at, now)


def fresh_enough(proved_at: datetime | None, now: datetime) -> bool:
    """Whether a proof of that instant still counts for what matters most. One of the future never does."""
    return proved_at is not None and -_CLOCK_SKEW <= now - proved_at <= STEP_UP_MAX_AGE
