"""Tell a person that their identity could not be confirmed, and why."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import Origin
from services.auth.domain.problems import KycNotFound
from shared.contracts.auth.kyc_events import KycRejected


async def reject_kyc(context: Context, submission_id: UUID, reviewer_id: UUID, reason: str, origin: Origin) -> KycSubmission:
    """The rejected submission; rejecting it again changes nothing and tells nobody.

    Raises `KycNotFound`, `OwnSubmission`, or `KycAlreadyDecided` when it was approved.
    """
    async with context.unit_of_work() as work:
        submission = await work.kyc.find(submission_id, lock=True)
        if submission is None:
            raise KycNotFound
        rejected = submission.reject(reviewer_id, reason, work.now)
        if rejected == submission:
            return submission
        await work.kyc.save_decision(rejected)
        work.outbox.publish(
            KycRejected(user_id=rejected.user_id, kyc_id=rejected.id, reason=reason, rejected_at=work.now),
            aggregate_id=rejected.user_id,
        )
        await work.audit(
            "kyc.rejected",
            origin=origin,
            actor_id=reviewer_id,
            subject_id=submission_id,
            before={"status": "pending"},
            after={"status": "rejected"},
        )
        return rejected
