"""Hand in who you are, for checking."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import (
    DocumentType,
    KycDetails,
    KycDocument,
    KycSubmission,
    check_age,
    check_resubmission,
    is_renewal,
)
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from services.auth.store.kyc import KycSubmissions
from shared.contracts.auth.kyc_events import KycSubmitted
from shared.ids import new_id
from shared.problems import Problem
from shared.storage import StoreUnavailable


@dataclass(frozen=True)
class Proof:
    """A document of an accepted kind."""

    media_type: str
    content: bytes


async def submit_kyc(
    context: Context,
    user_id: UUID,
    *,
    details: KycDetails,
    country: str,
    document_type: DocumentType,
    documents: Sequence[Proof],
    origin: Origin,
) -> KycSubmission:
    """The submission, waiting for its review.

    Files are stored before the transaction that makes them count, and deleted when that fails. Raises `KycPending`,
    `KycAlreadyApproved`, `StoreUnavailable`, or `InvalidRequest` for somebody who is not an adult.
    """
    check_age(details.date_of_birth, context.clock.now().date())
    async with context.read() as connection:
        check_resubmission(await KycSubmissions(connection, context.vault).latest_of(user_id), context.clock.now().date())
    submission = KycSubmission(
        id=new_id(),
        user_id=user_id,
        status="pending",
        country=country,
        document_type=document_type,
        details=details,
        submitted_at=context.clock.now(),
        provider=context.identity_provider.name if context.identity_provider else None,
    )
    kept = [KycDocument(new_id(), proof.media_type, len(proof.content)) for proof in documents]
    try:
        for document, proof in zip(kept, documents, strict=True):
            await context.files.put(document.file_key(submission.id), proof.content)
        await _store(context, submission, kept, origin)
    except Problem:
        for document in kept:
            with suppress(StoreUnavailable):  # told below, or nothing was stored
                await context.files.delete(document.file_key(submission.id))
        raise
    return submission


async def _store(context: Context, submission: KycSubmission, documents: Sequence[KycDocument], origin: Origin) -> None:
    user_id = submission.user_id
    async with context.unit_of_work() as work:
        if await work.users.find(user_id, lock=True) is None:
            raise UserNotFound
        latest = await work.kyc.latest_of(user_id)
        check_resubmission(latest, work.now.date())
        await work.kyc.add(submission)
        for document in documents:
            await work.kyc.add_document(submission.id, document)
        work.outbox.publish(
            KycSubmitted(
                user_id=user_id,
                kyc_id=submission.id,
                submitted_at=submission.submitted_at,
                renewal=is_renewal(latest, work.now.date()),
            ),
            aggregate_id=user_id,
        )
        await work.audit("kyc.submitted", origin=origin, actor_id=user_id, subject_id=submission.id)
