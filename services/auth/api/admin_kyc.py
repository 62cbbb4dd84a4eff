"""Identity checks: the queue of reviewers."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.auth.api.callers import SupportCaller
from services.auth.api.kyc import DocumentView
from services.auth.api.origin import RequestOrigin
from services.auth.commands import approve_kyc as approving
from services.auth.commands import claim_kyc as claiming
from services.auth.commands import read_kyc as reading
from services.auth.commands import reject_kyc as rejecting
from services.auth.context import Ctx
from services.auth.domain.kyc import Address, DocumentType, KycSubmission
from services.auth.queries import kyc as queries
from services.auth.store.kyc import KycFilter
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, LongText, View

router = APIRouter(prefix="/v1/admin/kyc", tags=["kyc"])

_DOWNLOAD = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "no-store",
}


class SubmissionView(View):
    """A submission in the list of reviewers."""

    id: UUID
    user_id: UUID
    status: Literal["pending", "approved", "rejected", "expired"]
    full_name: str
    country: str
    document_type: DocumentType
    submitted_at: Instant
    decided_at: Instant | None
    decided_by: UUID | None = Field(description="Null when nobody or a provider decided")
    reason: str | None
    level: int | None
    expires_on: date | None
    claimed_by: UUID | None = Field(description="Who took it last; a claim holds for half an hour")
    claimed_at: Instant | None
    provider: str | None = Field(description="Who checks it instead of a reviewer")


class SubmissionDetailView(SubmissionView):
    """A submission with all that a reviewer needs to decide."""

    date_of_birth: date
    address: Address
    document_number: str
    documents: list[DocumentView]


class ApproveKycBody(Body):
    """How much was shown."""

    level: Literal[2, 3] = Field(2, description="2: identity; 3: also where the money comes from")


class RejectKycBody(Body):
    """Why; the person is told."""

    reason: Annotated[LongText, Field(examples=["The picture of the passport cannot be read."])]


def _view(submission: KycSubmission) -> SubmissionView:
    plain = {name: value for name, value in vars(submission).items() if name in SubmissionView.model_fields}
    return SubmissionView(**plain, full_name=submission.details.full_name)


@router.get("")
async def list_kyc_submissions(
    context: Ctx,
    caller: SupportCaller,
    paging: Paging,
    status: Literal["pending", "approved", "rejected", "expired"] | None = None,
    country: Annotated[str | None, Query(pattern=r"^[A-Z]{2}$")] = None,
    document_type: DocumentType | None = None,
    claimed: Annotated[Literal["nobody", "me"] | None, Query(description="Free to take, or taken by you")] = None,
    order: Annotated[Literal["newest", "oldest"], Query(description="A queue is worked through from its oldest")] = "newest",
) -> Page[SubmissionView]:
    """Submissions of everybody, newest first unless asked otherwise. Needs the role `support` or `admin`."""
    wanted = KycFilter(status, country, document_type, caller.id if claimed == "me" else None, claimed == "nobody")
    rows = await queries.list_submissions(context, paging, wanted, oldest_first=order == "oldest")
    return paging.page(rows, lambda submission: submission.id, _view)


@router.get("/{kyc_id}")
async def get_kyc_submission(kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin) -> SubmissionDetailView:
    """A submission with its identity details. That you looked at them is recorded. Needs `support` or `admin`."""
    submission, documents = await reading.read_kyc(context, kyc_id, caller.id, origin)
    return SubmissionDetailView(
        **_view(submission).model_dump(),
        date_of_birth=submission.details.date_of_birth,
        address=submission.details.address,
        document_number=submission.details.document_number,
        documents=[DocumentView.model_validate(document) for document in documents],
    )


@router.get("/{kyc_id}/documents/{document_id}", response_class=Response)
async def get_kyc_document(
    kyc_id: UUID, document_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin
) -> Response:
    """The content of a document, as a download. That you looked at it is recorded. Needs `support` or `admin`."""
    media_type, content = await reading.read_kyc_document(context, kyc_id, document_id, caller.id, origin)
    return Response(content, media_type=media_type, headers=_DOWNLOAD)


@router.post("/{kyc_id}/claim")
async def claim_kyc(kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin) -> SubmissionView:
    """Take a submission for half an hour: nobody else can decide about it meanwhile. Needs `support` or `admin`."""
    return _view(await claiming.claim_kyc(context, kyc_id, caller.id, origin))


@router.post("/{kyc_id}/release")
async def release_kyc(kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin) -> SubmissionView:
    """Give a submission back to the queue. Needs `support` or `admin`."""
    return _view(await claiming.release_kyc(context, kyc_id, caller.id, origin))


@router.post("/{kyc_id}/approve")
async def approve_kyc(
    kyc_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin, body: ApproveKycBody | None = None
) -> SubmissionView:
    """Confirm the person's identity. Doing it again changes nothing. Needs `support` or `admin`."""
    level = (body or ApproveKycBody()).level
    return _view(await approving.approve_kyc(context, kyc_id, caller.id, origin, level=level))


@router.post("/{kyc_id}/reject")
async def reject_kyc(
    kyc_id: UUID, body: RejectKycBody, context: Ctx, caller: SupportCaller, origin: RequestOrigin
) -> SubmissionView:
    """Refuse, with a reason that the person is told; they may submit again. Needs `support` or `admin`."""
    return _view(await rejecting.reject_kyc(context, kyc_id, caller.id, body.reason, origin))
