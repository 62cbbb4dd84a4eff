"""Take a submission from the queue of reviewers, or give it back."""

from uuid import UUID

from services.auth.commands.decide_kyc import locked_submission
from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import Origin


async def claim_kyc(context: Context, submission_id: UUID, reviewer_id: UUID, origin: Origin) -> KycSubmission:
    """The submission, held for the reviewer for half an hour; again, it is held anew.

    Raises `KycNotFound`, `OwnSubmission`, `KycClaimed`, `KycAlreadyDecided`.
    """
    async with context.unit_of_work() as work:
        claimed = (await locked_submission(work, submission_id)).claim(reviewer_id, work.now)
        await work.kyc.save(claimed)
        await work.audit("kyc.claimed", origin=origin, actor_id=reviewer_id, subject_id=submission_id)
        return claimed


async def release_kyc(context: Context, submission_id: UUID, reviewer_id: UUID, origin: Origin) -> KycSubmission:
    """The submission, back in the queue. Raises `KycNotFound`, or `KycClaimed` when somebody else has it."""
    async with context.unit_of_work() as work:
        submission = await locked_submission(work, submission_id)
        released = submission.release(reviewer_id, work.now)
        if released != submission:
            await work.kyc.save(released)
            await work.audit("kyc.released", origin=origin, actor_id=reviewer_id, subject_id=submission_id)
        return released
