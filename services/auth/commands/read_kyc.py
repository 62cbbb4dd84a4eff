"""Open somebody's identity details for a reviewer. A write: who looked is recorded first."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import KycDocument, KycSubmission
from services.auth.domain.origin import Origin
from services.auth.domain.problems import KycNotFound
from shared.storage import FileMissing


async def read_kyc(
    context: Context, submission_id: UUID, reviewer_id: UUID, origin: Origin
) -> tuple[KycSubmission, list[KycDocument]]:
    """A submission with all of its details, and what was handed in with it. Raises `KycNotFound`."""
    async with context.unit_of_work() as work:
        submission = await work.kyc.find(submission_id)
        if submission is None:
            raise KycNotFound
        await work.audit("kyc.viewed", origin=origin, actor_id=reviewer_id, subject_id=submission_id)
        return submission, list(await work.kyc.documents_of(submission_id))


async def read_kyc_document(
    context: Context, submission_id: UUID, document_id: UUID, reviewer_id: UUID, origin: Origin
) -> tuple[str, bytes]:
    """The media type and content of a document. Raises `KycNotFound` or `StoreUnavailable`."""
    async with context.unit_of_work() as work:
        document = await work.kyc.document(submission_id, document_id)
        if document is None:
            raise KycNotFound
        await work.audit(
            "kyc.document_viewed",
            origin=origin,
            actor_id=reviewer_id,
            subject_id=document_id,
            after={"kyc_id": str(submission_id)},
        )
    try:
        return document.media_type, await context.files.get(document.file_key(submission_id))
    except FileMissing:
        raise KycNotFound("The file of this document is lost. Reject the submission, so that the person hands in anew.") from None
