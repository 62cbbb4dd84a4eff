"""Delete confirmed identities of people who were forgotten, when the law does not ask for them any more."""

from services.auth.context import Context
from services.auth.domain.origin import SYSTEM

_AT_ONCE = 100


async def purge_identities(context: Context) -> None:
    """Delete what is due, files first: a row without its file would only be tried again."""
    async with context.read() as connection:
        due = await context.kyc_submissions(connection).due_for_purge(context.clock.now().date(), _AT_ONCE)
    for submission_id, keys in due.items():
        for key in keys:
            await context.files.delete(key)
        async with context.unit_of_work() as work:
            await work.kyc.delete(submission_id)
            await work.audit("kyc.purged", origin=SYSTEM, actor_id=None, subject_id=submission_id)
