"""Tell a person that their identity could not be confirmed, and why."""

from uuid import UUID

from services.auth.commands.decide_kyc import locked_submission, reject
from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import Origin


async def reject_kyc(context: Context, submission_id: UUID, reviewer_id: UUID, reason: str, origin: Origin) -> KycSubmission:
    """The rejected submission; rejecting it again changes nothing and tells nobody.

    Raises `KycNotFound`, `OwnSubmission`, `KycClaimed`, or `KycAlreadyDecided` when it was approved.
    """
    async with context.unit_of_work() as work:
        return await reject(context, work, await locked_submission(work, submission_id), reviewer_id, reason, origin)
