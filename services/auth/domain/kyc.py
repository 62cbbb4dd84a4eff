"""An identity check: what a person hands in, and what a reviewer decides."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.problems import KycAlreadyApproved, KycAlreadyDecided, KycPending, OwnSubmission
from shared.problems import FieldError, InvalidRequest

KycStatus = Literal["unsubmitted", "pending", "approved", "rejected"]
DocumentType = Literal["passport", "national_id", "driving_licence"]
Address = str | dict[str, str]

ADULT_YEARS = 18
OLDEST_YEARS = 120
MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}


@dataclass(frozen=True)
class KycDetails:
    """Who a person says they are: sealed as a whole before it is stored."""

    full_name: str
    date_of_birth: date
    address: Address
    document_number: str


@dataclass(frozen=True)
class KycDocument:
    """A picture or PDF handed in as proof; its content stays in the store, sealed."""

    id: UUID
    media_type: str
    size_bytes: int


@dataclass(frozen=True)
class KycSubmission:
    """One submission and its outcome."""

    id: UUID
    user_id: UUID
    status: Literal["pending", "approved", "rejected"]
    country: str
    document_type: DocumentType
    details: KycDetails
    submitted_at: datetime
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    reason: str | None = None

    def approve(self, reviewer_id: UUID, now: datetime) -> Self:
        """Confirmed by `reviewer_id`; approved before, it stays as it is. Raises `OwnSubmission`, `KycAlreadyDecided`."""
        self._refuse_own(reviewer_id)
        if self.status == "approved":
            return self
        self._refuse_decided()
        return replace(self, status="approved", decided_at=now, decided_by=reviewer_id)

    def reject(self, reviewer_id: UUID, reason: str, now: datetime) -> Self:
        """Refused by `reviewer_id`; refused before, it stays as it is. Raises `OwnSubmission`, `KycAlreadyDecided`."""
        self._refuse_own(reviewer_id)
        if self.status == "rejected":
            return self
        self._refuse_decided()
        return replace(self, status="rejected", decided_at=now, decided_by=reviewer_id, reason=reason)

    def _refuse_own(self, reviewer_id: UUID) -> None:
        if reviewer_id == self.user_id:
            raise OwnSubmission("You cannot decide about your own identity. Ask a colleague.")

    def _refuse_decided(self) -> None:
        if self.status != "pending":
            raise KycAlreadyDecided(f"It was {self.status} before. The person can submit again if that was wrong.")


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


def check_resubmission(latest: KycSubmission | None) -> None:
    """Raises `KycPending` or `KycAlreadyApproved` unless there is nothing yet or the latest was rejected."""
    if latest is not None and latest.status == "pending":
        raise KycPending("Wait for the answer; we write to you as soon as there is one.")
    if latest is not None and latest.status == "approved":
        raise KycAlreadyApproved("There is nothing more to do.")


def media_type_of(content: bytes) -> str | None:
    """The kind of document that `content` is, judged by its first bytes, or None when it is of no accepted kind."""
    return next((media_type for start, media_type in _SIGNATURES.items() if content.startswith(start)), None)
