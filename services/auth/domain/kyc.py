"""An identity check: what a person hands in, who looks at it, what is decided, and how long that holds."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.problems import (
    KycAlreadyApproved,
    KycAlreadyDecided,
    KycClaimed,
    KycPending,
    OwnSubmission,
)
from shared.problems import FieldError, InvalidRequest

KycStatus = Literal["unsubmitted", "pending", "approved", "rejected", "expired"]
DocumentType = Literal["passport", "national_id", "driving_licence"]
Address = str | dict[str, str]

ADULT_YEARS = 18
OLDEST_YEARS = 120
CLAIM_HELD = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=1)
"""How long a provider is left alone at most, while it does not know."""
RENEWAL_OPENS = timedelta(days=30)
"""How long before an approval ends the person is reminded, and may submit again."""


@dataclass(frozen=True)
class KycDetails:
    """Who a person says they are: sealed as a whole before it is stored."""

    full_name: str
    date_of_birth: date
    address: Address
    document_number: str


@dataclass(frozen=True)
class KycDocument:
    """A picture or PDF handed in as proof; its content is a sealed file."""

    id: UUID
    media_type: str
    size_bytes: int

    def file_key(self, submission_id: UUID) -> str:
        """Where its content is."""
        return f"kyc/{submission_id}/{self.id}"


@dataclass(frozen=True)
class KycSubmission:
    """One submission and its outcome.

    `decided_by` is None where a provider decided. A claim says which reviewer is looking at it; it lapses by itself.
    `level` and `expires_on` are there once it is approved. `provider_reference` is the provider's name for the check, and
    `next_check_at` when it is asked for next, if nothing comes before.
    """

    id: UUID
    user_id: UUID
    status: Literal["pending", "approved", "rejected", "expired"]
    country: str
    document_type: DocumentType
    details: KycDetails
    submitted_at: datetime
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    reason: str | None = None
    level: int | None = None
    expires_on: date | None = None
    reminded_at: datetime | None = None
    claimed_by: UUID | None = None
    claimed_at: datetime | None = None
    provider: str | None = None
    provider_reference: str | None = None
    next_check_at: datetime | None = None

    def checked_again(self, now: datetime, first_pause: timedelta) -> Self:
        """The provider did not know yet: asked again ever later, the older the submission is."""
        pause = min(max(first_pause, (now - self.submitted_at) / 4), LONGEST_PAUSE)
        return replace(self, next_check_at=now + pause)

    def claim(self, reviewer_id: UUID, now: datetime) -> Self:
        """Taken by `reviewer_id` for half an hour. Raises `OwnSubmission`, `KycAlreadyDecided`, `KycClaimed`."""
        self._refuse_own(reviewer_id)
        self._refuse_decided()
        self._refuse_claimed(reviewer_id, now)
        return replace(self, claimed_by=reviewer_id, claimed_at=now)

    def release(self, reviewer_id: UUID, now: datetime) -> Self:
        """Given back to the queue. Raises `KycClaimed` when somebody else has it."""
        self._refuse_claimed(reviewer_id, now)
        return replace(self, claimed_by=None, claimed_at=None)

    def approve(self, reviewer_id: UUID | None, now: datetime, *, level: int, expires_on: date) -> Self:
        """Confirmed by a reviewer, or by a provider (None); approved before, it stays as it is.

        Raises `OwnSubmission`, `KycAlreadyDecided`, `KycClaimed`.
        """
        self._refuse_own(reviewer_id)
        if self.status == "approved":
            return self
        self._refuse_decided()
        self._refuse_claimed(reviewer_id, now)
        return replace(
            self,
            status="approved",
            decided_at=now,
            decided_by=reviewer_id,
            level=level,
            expires_on=expires_on,
            claimed_by=None,
            claimed_at=None,
        )

    def reject(self, reviewer_id: UUID | None, reason: str, now: datetime) -> Self:
        """Refused by a reviewer, or by a provider (None); refused before, it stays as it is.

        Raises `OwnSubmission`, `KycAlreadyDecided`, `KycClaimed`.
        """
        self._refuse_own(reviewer_id)
        if self.status == "rejected":
            return self
        self._refuse_decided()
        self._refuse_claimed(reviewer_id, now)
        return replace(
            self,
            status="rejected",
            decided_at=now,
            decided_by=reviewer_id,
            reason=reason,
            claimed_by=None,
            claimed_at=None,
        )

    def expire(self) -> Self:
        """The approval is over: the person must submit again."""
        return replace(self, status="expired")

    def claimed_at_all(self, now: datetime) -> bool:
        """Whether a reviewer has it now."""
        return self.claimed_at is not None and now < self.claimed_at + CLAIM_HELD

    def _refuse_own(self, reviewer_id: UUID | None) -> None:
        if reviewer_id == self.user_id:
            raise OwnSubmission("You cannot decide about your own identity. Ask a colleague.")

    def _refuse_decided(self) -> None:
        if self.status != "pending":
            raise KycAlreadyDecided(f"It was {self.status} before. The person can submit again if that was wrong.")

    def _refuse_claimed(self, reviewer_id: UUID | None, now: datetime) -> None:
        if self.claimed_at_all(now) and self.claimed_by != reviewer_id:
            raise KycClaimed("A colleague is looking at it. Take another one, or wait half an hour.")


def age_years(born: date, today: date) -> int:
    """Completed years of life."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def check_age(born: date, today: date) -> None:
    """Raises `InvalidRequest` unless somebody born then is an adult who can be alive."""
    age = age_years(born, today)
    if age < ADULT_YEARS:
        message = f"must be at least {ADULT_YEARS} years ago"
    elif age > OLDEST_YEARS:
        message = f"must be at most {OLDEST_YEARS} years ago"
    else:
        return
    raise InvalidRequest(f"The date of birth {message}.", errors=[FieldError("date_of_birth", message)])


def check_resubmission(latest: KycSubmission | None, today: date) -> None:
    """Raises `KycPending`, or `KycAlreadyApproved` for an approval that holds for longer than a month."""
    if latest is not None and latest.status == "pending":
        raise KycPending("Wait for the answer; we write to you as soon as there is one.")
    if latest is not None and latest.status == "approved" and not is_renewal(latest, today):
        raise KycAlreadyApproved("There is nothing more to do.")


def is_renewal(latest: KycSubmission | None, today: date) -> bool:
    """Whether a submission now renews an approval that still holds."""
    if latest is None or latest.status != "approved" or latest.expires_on is None:
        return False
    return latest.expires_on - RENEWAL_OPENS <= today


def expiry_of(decided_on: date, months: int) -> date:
    """The last day on which an approval of that day holds: so many months later, or the end of that month."""
    year, month = divmod(decided_on.month - 1 + months, 12)
    first_of_next = date(decided_on.year + year + month // 11, (month + 1) % 12 + 1, 1)
    last_day = (first_of_next - timedelta(days=1)).day
    return date(decided_on.year + year, month + 1, min(decided_on.day, last_day))
