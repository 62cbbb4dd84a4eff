"""Reads of identity checks."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.kyc import KycDocument, KycSubmission
from services.auth.store.kyc import KycFilter, KycSubmissions
from shared.http.paging import PageRequest


async def latest_submission(context: Context, user_id: UUID) -> tuple[KycSubmission, Sequence[KycDocument]] | None:
    """The last submission of a person and what was handed in with it, or None."""
    async with context.read() as connection:
        store = KycSubmissions(connection, context.vault)
        submission = await store.latest_of(user_id)
        return (submission, await store.documents_of(submission.id)) if submission else None


async def list_submissions(
    context: Context, page: PageRequest, wanted: KycFilter, *, oldest_first: bool
) -> Sequence[KycSubmission]:
    """Submissions, newest first unless said otherwise; one more than the page holds."""
    async with context.read() as connection:
        store = KycSubmissions(connection, context.vault)
        now = context.clock.now()
        return await store.page(wanted, now=now, after=page.after, count=page.fetch, oldest_first=oldest_first)
