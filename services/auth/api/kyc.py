"""Identity checks: handing in, and reviewing."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Base64Bytes, Field, StringConstraints

from services.auth.api.callers import Caller, SupportCaller
from services.auth.api.fields import CalendarDate, Country, PersonName
from services.auth.api.origin import RequestOrigin
from services.auth.commands import approve_kyc as approving
from services.auth.commands import read_kyc as reading
from services.auth.commands import reject_kyc as rejecting
from services.auth.commands import submit_kyc as submitting
from services.auth.context import Ctx
from services.auth.domain.kyc import (
    MAX_DOCUMENT_BYTES,
    Address,
    DocumentType,
    KycDetails,
    KycDocument,
    KycStatus,
    KycSubmission,
    media_type_of,
)
from services.auth.queries import kyc as queries
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, LongText, ShortText, View

router = APIRouter(tags=["kyc"])


def _document_content(content: bytes) -> bytes:
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"must be at most {MAX_DOCUMENT_BYTES} bytes")
    if media_type_of(content) is None:
        raise ValueError("must be a JPEG or PNG picture, or a PDF")
    return content


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
        Field(max_length=MAX_DOCUMENT_BYTES * 3 // 2, description="Base64; JPEG, PNG or PDF of 2 MiB at most"),
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
    documents: list[DocumentBody] = Field(default=[], max_length=4)


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


class SubmissionView(View):
    """A submission in the list of reviewers."""

    id: UUID
    user_id: UUID
    status: Literal["pending", "approved", "rejected"]
    full_name: str
    country: str
    document_type: DocumentType
    submitted_at: Instant
    decided_at: Instant | None
    decided_by: UUID | None
    reason: str | None


class SubmissionDetailView(SubmissionView):
    """A submission with all that a reviewer needs to decide."""

    date_of_birth: date
    address: Address
    document_number: str
    documents: list[DocumentView]


class RejectKycBody(Body):
    """Why; the person is told."""

    reason: Annotated[LongText, Field(examples=["The picture of the passport cannot be read."])]


def _own_view(submission: KycSubmission, documents: list[KycDocument]) -> KycView:
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
    )


def _review_view(submission: KycSubmission) -> SubmissionView:
    return SubmissionView(
        id=submission.id,
        user_id=submission.user_id,
        status=submission.status,
        full_name=submission.details.full_name,
        country=submission.country,
        document_type=submission.document_type,
        submitted_at=submission.submitted_at,
        decided_at=submission.decided_at,
        decided_by=submission.decided_by,
        reason=submission.reason,
    )


@router.post("/v1/kyc", status_code=201)
async def submit_kyc(body: SubmitKycBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> KycView:
    """Hand in who you are. Allowed when nothing was handed in yet, or when the last submission was rejected."""
    submission = await submitting.submit_kyc(
        context,
        caller.id,
        details=KycDetails(body.full_name, body.date_of_birth, body.address, body.document_number),
        country=body.country,
        document_type=body.document_type,
        documents=[document.content for document in body.documents],
        origin=origin,
    )
    found = await queries.latest_submission(context, caller.id)
    return _own_view(submission, list(found[1]) if found else [])


@router.get("/v1/kyc")
async def get_kyc(context: Ctx, caller: Caller) -> KycView:
    """How your identity check stands."""
    found = await queries.latest_submission(context, caller.id)
    return _own_view(found[0], list(found[1])) if found else KycView(status="unsubmitted")


@router.get("/v1/admin/kyc")
async def list_kyc_submissions(
    context: Ctx, caller: SupportCaller, paging: Paging, status: Literal["pending", "approved", "rejected"] | None = None
) -> Page[SubmissionView]:
    """Submissions of everybody, newest first. Needs the role `support` or `admin`."""
    rows = await queries.list_submissions(context, paging, status)
    return paging.page(rows, lambda submission: submission.id, _review_view)


@router.get("/v1/admin/kyc/{kyc_id}")
async def get_kyc_submission(kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin) -> SubmissionDetailView:
    """A submission with its identity details. That you looked at them is recorded. Needs `support` or `admin`."""
    submission, documents = await reading.read_kyc(context, kyc_id, caller.id, origin)
    return SubmissionDetailView(
        **_review_view(submission).model_dump(),
        date_of_birth=submission.details.date_of_birth,
        address=submission.details.address,
        document_number=submission.details.document_number,
        documents=[DocumentView.model_validate(document) for document in documents],
    )


@router.get("/v1/admin/kyc/{kyc_id}/documents/{document_id}", response_class=Response)
async def get_kyc_document(
    kyc_id: UUID, document_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin
) -> Response:
    """The content of a document. That you looked at it is recorded. Needs `support` or `admin`."""
    media_type, content = await reading.read_kyc_document(context, kyc_id, document_id, caller.id, origin)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/v1/admin/kyc/{kyc_id}/approve")
async def approve_kyc(kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin) -> SubmissionView:
    """Confirm the person's identity. Doing it again changes nothing. Needs `support` or `admin`."""
    return _review_view(await approving.approve_kyc(context, kyc_id, caller.id, origin))


@router.post("/v1/admin/kyc/{kyc_id}/reject")
async def reject_kyc(
    kyc_id: UUID, body: RejectKycBody, context: Ctx, caller: SupportCaller, origin: RequestOrigin
) -> SubmissionView:
    """Refuse, with a reason that the person is told; they may submit again. Needs `support` or `admin`."""
    return _review_view(await rejecting.reject_kyc(context, kyc_id, caller.id, body.reason, origin))
