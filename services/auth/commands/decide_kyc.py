"""What a decision about somebody's identity changes: the submission, their level, and what others are told."""

from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission, expiry_of
from services.auth.domain.kyc_levels import level_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import KycNotFound
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.kyc_events import KycApproved, KycLevelChanged, KycRejected


async def approve(
    context: Context, work: AuthUnitOfWork, submission: KycSubmission, reviewer_id: UUID | None, level: int, origin: Origin
) -> KycSubmission:
    """Confirm the identity; confirmed before, nothing changes. Raises what `KycSubmission.approve` does."""
    expires_on = expiry_of(work.now.date(), context.settings.auth_kyc_months)
    approved = submission.approve(reviewer_id, work.now, level=level, expires_on=expires_on)
    if approved == submission:
        return submission
    await work.kyc.save(approved)
    work.outbox.publish(
        KycApproved(
            user_id=approved.user_id,
            kyc_id=approved.id,
            country=approved.country,
            approved_at=work.now,
            level=level,
            expires_on=expires_on,
        ),
        aggregate_id=approved.user_id,
    )
    await publish_level(context, work, approved.user_id, level)
    await work.audit(
        "kyc.approved",
        origin=origin,
        actor_id=reviewer_id,
        subject_id=approved.id,
        before={"status": submission.status},
        after={"status": approved.status, "level": level, "expires_on": expires_on.isoformat(), "provider": approved.provider},
    )
    return approved


async def reject(
    context: Context, work: AuthUnitOfWork, submission: KycSubmission, reviewer_id: UUID | None, reason: str, origin: Origin
) -> KycSubmission:
    """Refuse; refused before, nothing changes. Raises what `KycSubmission.reject` does."""
    rejected = submission.reject(reviewer_id, reason, work.now)
    if rejected == submission:
        return submission
    await work.kyc.save(rejected)
    work.outbox.publish(
        KycRejected(user_id=rejected.user_id, kyc_id=rejected.id, reason=reason, rejected_at=work.now),
        aggregate_id=rejected.user_id,
    )
    await publish_level(context, work, rejected.user_id, None)
    await work.audit(
        "kyc.rejected",
        origin=origin,
        actor_id=reviewer_id,
        subject_id=rejected.id,
        before={"status": submission.status},
        after={"status": rejected.status, "provider": rejected.provider},
    )
    return rejected


async def publish_level(context: Context, work: AuthUnitOfWork, user_id: UUID, approved_level: int | None) -> None:
    """Tell everybody how well the person is known now."""
    user = await work.users.find(user_id)
    level = level_of(contact_confirmed=user is not None and context.email_verified(user), approved_level=approved_level)
    work.outbox.publish(
        KycLevelChanged(
            user_id=user_id,
            level=level.number,
            daily_deposits_major=level.daily_deposits_major,
            daily_withdrawals_major=level.daily_withdrawals_major,
            changed_at=work.now,
        ),
        aggregate_id=user_id,
    )


async def locked_submission(work: AuthUnitOfWork, submission_id: UUID) -> KycSubmission:
    """The submission, locked. Raises `KycNotFound`."""
    submission = await work.kyc.find(submission_id, lock=True)
    if submission is None:
        raise KycNotFound
    return submission
