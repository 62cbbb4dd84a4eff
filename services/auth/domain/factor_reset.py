"""Second factors that are all lost: operators end them in two steps, and the owner has time to object."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.factor_problems import FactorResetEnded
from services.auth.domain.problems import SecondPersonRequired

ResetStatus = Literal["awaiting_approval", "waiting", "done", "declined", "stopped", "expired", "void"]
OPEN_RESETS: tuple[ResetStatus, ...] = ("awaiting_approval", "waiting")


@dataclass(frozen=True)
class FactorReset:
    """Asked for by `requested_by` with a `reason`, approved by somebody else, and done at `due_at` unless it is stopped.

    `ended_by` is the operator who declined it or the owner who stopped it; None where nobody did. It is `void` when the account
    was not what it was any more.
    """

    id: UUID
    user_id: UUID
    reason: str
    status: ResetStatus
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    due_at: datetime | None = None
    ended_by: UUID | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None

    @property
    def open(self) -> bool:
        """Whether something may yet come of it."""
        return self.status in OPEN_RESETS

    def as_of(self, now: datetime) -> Self:
        """The same, expired if nobody approved it in time."""
        if self.status == "awaiting_approval" and now >= self.expires_at:
            return replace(self, status="expired", ended_at=self.expires_at)
        return self

    def approve(self, admin_id: UUID, now: datetime, wait: timedelta) -> Self:
        """Agreed to by a second person, to be done after `wait`; approved before, it stays as it is.

        Raises `SecondPersonRequired` or `FactorResetEnded`.
        """
        if admin_id in (self.requested_by, self.user_id):
            raise SecondPersonRequired("Neither who asked for it nor whose account it is can approve it. Ask an administrator.")
        present = self.as_of(now)
        if present.status == "waiting":
            return present
        present._refuse_ended()
        return replace(present, status="waiting", approved_by=admin_id, approved_at=now, due_at=now + wait)

    def decline(self, operator_id: UUID, reason: str | None, now: datetime) -> Self:
        """Refused or taken back, also while it waits; declined before, it stays as it is. Raises `FactorResetEnded`."""
        present = self.as_of(now)
        if present.status == "declined":
            return present
        present._refuse_ended()
        return replace(present, status="declined", ended_by=operator_id, ended_at=now, end_reason=reason)

    def stop(self, now: datetime, why: str) -> Self:
        """Ended by the owner. Raises `FactorResetEnded`."""
        present = self.as_of(now)
        present._refuse_ended()
        return replace(present, status="stopped", ended_by=self.user_id, ended_at=now, end_reason=why)

    def due(self, now: datetime) -> bool:
        """Whether it waited long enough."""
        return self.status == "waiting" and self.due_at is not None and now >= self.due_at

    def end(self, status: Literal["done", "void"], now: datetime) -> Self:
        """Done, or not to be done any more."""
        return replace(self, status=status, ended_at=now)

    def _refuse_ended(self) -> None:
        if not self.open:
            raise FactorResetEnded(f"It is {self.status}. Ask for another one if it is still needed.")
