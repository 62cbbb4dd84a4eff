"""A copy of everything about oneself, and being forgotten."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.auth.api.callers import Caller, SteppedUpCaller
from services.auth.api.origin import RequestOrigin
from services.auth.commands.request_erasure import refused, request_erasure
from services.auth.commands.request_export import replace_lost_export, request_export
from services.auth.commands.settle_erasure import report_secret
from services.auth.context import Context, Ctx
from services.auth.domain.links import hash_of
from services.auth.domain.privacy import PrivacyRequest, PrivacyStatus
from services.auth.domain.problems import ErasureNotFound
from services.auth.queries.privacy import find_privacy_request, find_report
from shared.http.prefer import WaitSeconds, settle
from shared.http.schemas import Instant, View
from shared.storage import FileMissing

router = APIRouter(tags=["me"])


class ExportView(View):
    """An export that is being made."""

    id: UUID
    status: PrivacyStatus
    requested_at: Instant


class ErasureView(View):
    """How far the platform is with forgetting somebody."""

    id: UUID
    status: PrivacyStatus
    requested_at: Instant
    settled_at: Instant | None
    report: str | None = Field(
        description="What each service deleted and what it must keep, and why: a document signed (JWS, ES256) with a key of "
        "`/.well-known/jwks.json`; there once the status is `erased`"
    )
    report_url: str | None = Field(description="Where to read this again without an account: keep it to yourself")


@router.get(
    "/v1/me/export",
    response_model=ExportView,
    status_code=202,
    responses={
        200: {"content": {"application/zip": {}}, "description": "The archive"},
        202: {"description": "It is being made: ask again in a few seconds"},
    },
)
async def export_me(
    context: Ctx, caller: Caller, origin: RequestOrigin, wait_seconds: WaitSeconds, response: Response
) -> Response:
    """Everything that the platform has about you, from all of its services, as one ZIP of JSON files and the documents that you
    handed in. It is made when you ask and kept, sealed, for a day; until it is there the answer is 202. While files cannot be
    read it is 503: ask again later."""
    begun = await request_export(context, caller.id, origin)
    found = await _settled(context, begun, wait_seconds, response)
    archive = None
    if found.status == "ready":
        try:
            archive = await context.files.get(found.archive_key)
        except FileMissing:
            found = await replace_lost_export(context, found, origin)
    if archive is not None:
        name = f'attachment; filename="lendery-{found.requested_at:%Y-%m-%d}.zip"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store", **response.headers}
        return Response(archive, media_type="application/zip", headers=headers)
    view = ExportView.model_validate(found)
    headers = {"Retry-After": "2", "Cache-Control": "no-store", **response.headers}
    return JSONResponse(view.model_dump(mode="json"), status_code=202, headers=headers)


@router.delete("/v1/me", response_model=ErasureView, responses={202: {"model": ErasureView, "description": "It is under way"}})
async def erase_me(
    context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin, wait_seconds: WaitSeconds, response: Response
) -> ErasureView:
    """Be forgotten, for ever: the account is closed, all sessions end, and every service deletes or anonymises what it has of
    you, but for what the law makes it keep. Refused with `erasure_refused` and the reasons in `blockers` while you have money,
    a loan, an investment or a payment under way. Needs a fresh proof that it is you."""
    begun = await request_erasure(context, caller.id, origin)
    found = await _settled(context, begun, wait_seconds, response)
    if found.status == "refused":
        raise refused(list(found.blockers))
    response.status_code = 202 if found.open else 200
    return _erasure_view(context, found)


@router.get("/v1/auth/erasure-reports/{secret}")
async def get_erasure_report(
    context: Ctx, secret: Annotated[str, Path(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
) -> ErasureView:
    """The report of an erasure, for who has its address."""
    found = await find_report(context, hash_of(secret))
    if found is None:
        raise ErasureNotFound("Look at the address once more. Reports are kept for a year.")
    return _erasure_view(context, found)


async def _settled(context: Context, begun: PrivacyRequest, wait_seconds: int, response: Response) -> PrivacyRequest:
    async def read() -> PrivacyRequest:
        return await find_privacy_request(context, begun.id)

    if wait_seconds:
        return await settle(wait_seconds, response, read, lambda request: not request.open)
    # Most of this takes less than a second: a client that does not say how long it waits need not ask twice.
    return await settle(context.settings.auth_privacy_patience_seconds, Response(), read, lambda request: not request.open)


def _erasure_view(context: Context, request: PrivacyRequest) -> ErasureView:
    url = f"{context.settings.public_url.rstrip('/')}/v1/auth/erasure-reports/{report_secret(context, request)}"
    return ErasureView(
        id=request.id,
        status=request.status,
        requested_at=request.requested_at,
        settled_at=request.settled_at,
        report=request.report,
        report_url=url,
    )
