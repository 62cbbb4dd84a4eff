"""Hand in who you are, for checking."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import (
    DocumentType,
    KycDetails,
    KycDocument,
    KycSubmission,
    check_age,
    check_resubmission,
    media_type_of,
)
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from shared.contracts.auth.kyc_events import KycSubmitted
from shared.ids import new_id


async def submit_kyc(
    context: Context,
    user_id: UUID,
    *,
    details: KycDetails,
    country: str,
    document_type: DocumentType,
    documents: Sequence[bytes],
    origin: Origin,
) -> KycSubmission:
    """The submission, waiting for its review. `documents` are contents of an accepted kind.

    Raises `KycPending`, `KycAlreadyApproved`, or `InvalidRequest` for somebody who is not an adult.
    """
    check_age(details.date_of_birth, context.clock.now().date())
    async with context.unit_of_work() as work:
        if await work.users.find(user_id, lock=True) is None:
            raise UserNotFound
        check_resubmission(await work.kyc.latest_of(user_id))
        submission = KycSubmission(
            id=new_id(),
            user_id=user_id,
            status="pending",
            country=country,
            document_type=document_type,
            details=details,
            submitted_at=work.now,
        )
        await work.kyc.add(submission)
        for content in documents:
            media_type = media_type_of(content) or "application/octet-stream"
            await work.kyc.add_document(submission.id, KycDocument(new_id(), media_type, len(content)), content)
        work.outbox.publish(KycSubmitted(user_id=user_id, kyc_id=submission.id, submitted_at=work.now), aggregate_id=user_id)
        await work.audit("kyc.submitted", origin=origin, actor_id=user_id, subject_id=submission.id)
    return submission
