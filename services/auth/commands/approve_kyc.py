"""Confirm a person's identity."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import Origin
from services.auth.domain.problems import KycNotFound
from shared.contracts.auth.kyc_events import KycApproved


async def approve_kyc(context: Context, submission_id: UUID, reviewer_id: UUID, origin: Origin) -> KycSubmission:
    """The approved submission; approving it again changes nothing and tells nobody.

    Raises `KycNotFound`, `OwnSubmission`, or `KycAlreadyDecided` when it was rejected.
    """
    async with context.unit_of_work() as work:
        submission = await work.kyc.find(submission_id, lock=True)
        if submission is None:
            raise KycNotFound
        approved = submission.approve(reviewer_id, work.now)
        if approved == submission:
            return submission
        await work.kyc.save_decision(approved)
        work.outbox.publish(
            KycApproved(user_id=approved.user_id, kyc_id=approved.id, country=approved.country, approved_at=work.now),
            aggregate_id=approved.user_id,
        )
        await work.audit(
            "kyc.approved",
            origin=origin,
            actor_id=reviewer_id,
            subject_id=submission_id,
            before={"status": "pending"},
            after={"status": "approved"},
        )
        return approved
