"""Identity checks: handing in."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, Base64Bytes, Field, StringConstraints

from services.auth.api.callers import Caller
from services.auth.api.fields import CalendarDate, Country, PersonName
from services.auth.api.origin import RequestOrigin
from services.auth.commands import submit_kyc as submitting
from services.auth.context import Context, Ctx
from services.auth.domain.documents import MAX_DOCUMENT_BYTES, MAX_DOCUMENTS_BYTES, NotADocument, media_type_of
from services.auth.domain.kyc import (
    Address,
    DocumentType,
    KycDetails,
    KycDocument,
    KycStatus,
    KycSubmission,
    is_renewal,
)
from services.auth.domain.kyc_levels import level_of
from services.auth.domain.user import User
from services.auth.queries import kyc as queries
from shared.http.schemas import Body, Instant, ShortText, View

router = APIRouter(tags=["kyc"])


def _document_content(content: bytes) -> bytes:
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"must be at most {MAX_DOCUMENT_BYTES} bytes")
    try:
        media_type_of(content)
    except NotADocument as error:
        raise ValueError(str(error)) from None
    return content


def _documents_together(documents: "list[DocumentBody]") -> "list[DocumentBody]":
    if sum(len(document.content) for document in documents) > MAX_DOCUMENTS_BYTES:
        raise ValueError(f"must be at most {MAX_DOCUMENTS_BYTES} bytes together")
    return documents


AddressField = (
    Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    | Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")], ShortText], Field(min_length=1, max_length=12)
    ]
)


class DocumentBody(Body):
    """A picture or PDF that proves who you are; what it is, is seen from its content."""

    content: Annotated[
        Base64Bytes,
        AfterValidator(_document_content),
        Field(max_length=MAX_DOCUMENT_BYTES * 3 // 2, description="Base64; JPEG, PNG or plain PDF of 5 MiB at most"),
    ]


class SubmitKycBody(Body):
    """Who you are."""

    full_name: PersonName
    date_of_birth: CalendarDate = Field(description="You must be 18 years old")
    country: Country
    address: AddressField = Field(
        description="Where you live: text, or an object of named lines", examples=["12 Moi Avenue, Nairobi"]
    )
    document_type: DocumentType
    document_number: Annotated[
        str, StringConstraints(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9 ./-]+$"), Field(examples=["A1234567"])
    ]
    documents: Annotated[list[DocumentBody], AfterValidator(_documents_together)] = Field(
        default=[], max_length=4, description="12 MiB together at most"
    )


class DocumentView(View):
    """Something handed in as proof."""

    id: UUID
    media_type: str
    size_bytes: int


class KycView(View):
    """Your identity check; only `status` is there before you submit."""

    status: KycStatus
    id: UUID | None = None
    full_name: str | None = None
    date_of_birth: date | None = None
    country: str | None = None
    address: Address | None = None
    document_type: DocumentType | None = None
    document_number: str | None = None
    documents: list[DocumentView] = Field(default=[])
    submitted_at: Instant | None = None
    decided_at: Instant | None = None
    reason: str | None = Field(None, description="Why it was rejected")
    level: int = Field(0, description="How well you are known: 0 not at all, 1 contact, 2 identity, 3 enhanced")
    expires_on: date | None = Field(None, description="The last day on which the approval holds")
    renewable: bool = Field(False, description="Whether you should submit again because the approval ends soon, or has ended")


def _own_view(context: Context, user: User, found: tuple[KycSubmission, Sequence[KycDocument]] | None) -> KycView:
    submission, documents = found or (None, ())
    approved_level = submission.level if submission and submission.status == "approved" else None
    level = level_of(contact_confirmed=context.email_verified(user), approved_level=approved_level).number
    if submission is None:
        return KycView(status="unsubmitted", level=level)
    return KycView(
        status=submission.status,
        id=submission.id,
        full_name=submission.details.full_name,
        date_of_birth=submission.details.date_of_birth,
        country=submission.country,
        address=submission.details.address,
        document_type=submission.document_type,
        document_number=submission.details.document_number,
        documents=[DocumentView.model_validate(document) for document in documents],
        submitted_at=submission.submitted_at,
        decided_at=submission.decided_at,
        reason=submission.reason,
        level=level,
        expires_on=submission.expires_on,
        renewable=submission.status == "expired" or is_renewal(submission, context.clock.now().date()),
    )


@router.post("/v1/kyc", status_code=201)
async def submit_kyc(body: SubmitKycBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> KycView:
    """Hand in who you are. Allowed when nothing was handed in yet, when the last submission was rejected or has expired, and in
    the last month of an approval."""
    await submitting.submit_kyc(
        context,
        caller.id,
        details=KycDetails(body.full_name, body.date_of_birth, body.address, body.document_number),
        country=body.country,
        document_type=body.document_type,
        documents=[submitting.Proof(media_type_of(one.content), one.content) for one in body.documents],
        origin=origin,
    )
    return _own_view(context, caller.user, await queries.latest_submission(context, caller.id))


@router.get("/v1/kyc")
async def get_kyc(context: Ctx, caller: Caller) -> KycView:
    """How your identity check stands."""
    return _own_view(context, caller.user, await queries.latest_submission(context, caller.id))
