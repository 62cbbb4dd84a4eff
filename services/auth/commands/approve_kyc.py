"""Confirm a person's identity."""

from uuid import UUID

from services.auth.commands.decide_kyc import approve, locked_submission
from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import Origin


async def approve_kyc(
    context: Context, submission_id: UUID, reviewer_id: UUID, origin: Origin, *, level: int = 2
) -> KycSubmission:
    """The approved submission; approving it again changes nothing and tells nobody.

    Raises `KycNotFound`, `OwnSubmission`, `KycClaimed`, or `KycAlreadyDecided` when it was rejected.
    """
    async with context.unit_of_work() as work:
        return await approve(context, work, await locked_submission(work, submission_id), reviewer_id, level, origin)
