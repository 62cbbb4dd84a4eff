"""Ask for a copy of everything about oneself."""

from dataclasses import replace
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.origin import SYSTEM, Origin
from services.auth.domain.privacy import PrivacyRequest
from services.auth.sagas.export import EXPORT, Export, ask
from shared.ids import new_id


async def request_export(context: Context, user_id: UUID, origin: Origin) -> PrivacyRequest:
    """The export that is under way or ready; a new one when there is none."""
    async with context.unit_of_work() as work:
        await work.users.find(user_id, lock=True)
        latest = await work.privacy.latest_of(user_id, "export")
        if latest is not None and (latest.open or latest.usable(work.now)):
            return latest
        request = PrivacyRequest(new_id(), user_id, "export", "collecting", work.now)
        await work.privacy.add(request)
        saga = EXPORT.begin(request.id, Export(export_id=request.id, user_id=user_id), work.now)
        await work.sagas.add(saga)
        for message in ask(saga.data, None):
            work.outbox.add(message, aggregate_id=request.id)
        await work.audit("export.requested", origin=origin, actor_id=user_id, subject_id=request.id)
        return request


async def replace_lost_export(context: Context, lost: PrivacyRequest, origin: Origin) -> PrivacyRequest:
    """Another export in place of one whose archive is not there any more."""
    async with context.unit_of_work() as work:
        await work.users.find(lost.user_id, lock=True)
        present = await work.privacy.find(lost.id)
        if present is not None and present.status == "ready":
            await work.privacy.save(replace(present, status="expired"))
            await work.audit("export.lost", origin=SYSTEM, actor_id=None, subject_id=lost.id)
    return await request_export(context, lost.user_id, origin)
