"""Gather what services have of a person, and make one archive of it."""

import asyncio
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from services.auth.domain.privacy import PrivacyRequest
from services.auth.sagas.export import (
    EXPORT,
    EXPORTING,
    ROUNDS,
    ArchiveStored,
    EveryPartIsThere,
    Export,
    ExportState,
    NobodyAnswers,
)
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.privacy_messages import DeliverExportPart
from shared.messaging.consumer import Delivery
from shared.privacy import open_part
from shared.sagas import DEADLINE_PASSED, Cause, Saga
from shared.storage import FileMissing

_AT_ONCE = 20


async def keep_export_part(context: Context, delivery: Delivery[DeliverExportPart]) -> None:
    """Keep one service's part; the last one makes the archive."""
    part = delivery.message
    if part.service not in EXPORTING:
        return
    await context.files.put(f"exports/{part.export_id}/{part.service}", part.sealed)
    try:
        complete = await _note_part(context, delivery)
    finally:
        await _drop_if_over(context, part)
    if complete:
        await assemble(context, part.export_id)


async def _note_part(context: Context, delivery: Delivery[DeliverExportPart]) -> bool:
    part = delivery.message
    async with context.unit_of_work(delivery) as work:
        saga = await work.sagas.load(EXPORT, part.export_id)
        if saga is None:
            return False
        saga = await _advance(work, saga, part)
        if saga.data.complete:
            saga = await _advance(work, saga, EveryPartIsThere())
        return saga.state is ExportState.ASSEMBLING


async def _drop_if_over(context: Context, part: DeliverExportPart) -> None:
    """A part that comes again, when the archive is made or given up, stays nowhere."""
    async with context.read() as connection:
        request = await context.privacy_requests(connection).find(part.export_id)
    if request is None or not request.open:
        await context.files.delete(f"exports/{part.export_id}/{part.service}")


async def assemble(context: Context, export_id: UUID) -> None:
    """Make the archive of all parts. Done twice, it is the same archive."""
    async with context.read() as connection:
        request = await context.privacy_requests(connection).find(export_id)
    if request is None or request.status != "assembling":
        return
    try:
        parts = {
            service: open_part(context.vault, export_id, service, await context.files.get(request.part_key(service)))
            for service in EXPORTING
        }
    except FileMissing:
        return  # somebody else has just finished it
    archive = await asyncio.to_thread(_zip, request, parts, context.clock.now())
    await context.files.put(request.archive_key, archive)
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(EXPORT, export_id)
        if saga is None or saga.state is not ExportState.ASSEMBLING:
            return
        await _advance(work, saga, ArchiveStored())
        await work.audit(
            "export.completed", origin=SYSTEM, actor_id=None, subject_id=export_id, after={"size_bytes": len(archive)}
        )
    await _forget_parts(context, export_id)


async def sweep_exports(context: Context) -> None:
    """Ask again who has not answered, go on where a process ended, and give up after the last round."""
    async with context.unit_of_work() as work:
        swept = []
        for saga in await work.sagas.due(EXPORT, work.now, limit=_AT_ONCE):
            over = saga.data.rounds >= ROUNDS
            swept.append(await _advance(work, saga, NobodyAnswers() if over else DEADLINE_PASSED))
    for saga in swept:
        if saga.state is ExportState.ASSEMBLING:
            await assemble(context, saga.id)
        elif saga.state is ExportState.FAILED:
            await _forget_parts(context, saga.id)


async def forget_exports(context: Context) -> None:
    """Delete archives whose time is over."""
    async with context.unit_of_work() as work:
        overdue = await work.privacy.overdue(work.now, _AT_ONCE)
        for request in overdue:
            await work.privacy.save(replace(request, status="expired"))
    for request in overdue:
        await context.files.delete(request.archive_key)


async def _forget_parts(context: Context, export_id: UUID) -> None:
    for service in EXPORTING:
        await context.files.delete(f"exports/{export_id}/{service}")


async def _advance(work: AuthUnitOfWork, saga: Saga[Export], cause: Cause) -> Saga[Export]:
    moved, messages = EXPORT.advance(saga, cause, work.now)
    if moved is saga:
        return saga  # ignored: what became of the request since, such as its expiry, stays
    await work.sagas.save(moved)
    for message in messages:
        work.outbox.add(message, aggregate_id=saga.id)
    request = await work.privacy.find(saga.id)
    assert request is not None  # noqa: S101 they are added together
    await work.privacy.save(request.moved(ExportState(moved.state).value, work.now))
    return replace(moved, version=moved.version + 1)


_README = """Everything that Lendery has about you, made on {made_at}.

One folder for each part of the platform, one JSON file for each kind of record; `auth/documents` has the files that you
handed in. Amounts are in minor units (cents), instants in UTC. manifest.json lists every file with its SHA-256.
"""


def _zip(request: PrivacyRequest, parts: dict[str, dict[str, bytes]], made_at: datetime) -> bytes:
    content = {f"{service}/{name}": body for service, files in sorted(parts.items()) for name, body in sorted(files.items())}
    content["README.txt"] = _README.format(made_at=f"{made_at:%Y-%m-%d %H:%M} UTC").encode()
    manifest = {
        "export_id": str(request.id),
        "user_id": str(request.user_id),
        "made_at": made_at.isoformat(),
        "files": {name: {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in content.items()},
    }
    content["manifest.json"] = json.dumps(manifest, indent=2).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in content.items():
            file.writestr(name, body)
    return archive.getvalue()
