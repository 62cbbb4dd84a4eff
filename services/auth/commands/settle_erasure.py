"""Hear what services say about an erasure, forget the person when none objects, and sign what was done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.auth.commands.end_session import end_sessions
from services.auth.commands.request_erasure import secret_place
from services.auth.commands.tell_user import publish_updated, send_mail
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from services.auth.domain.privacy import ERASED_NAME, PrivacyRequest, erased_email
from services.auth.domain.signing_keys import SigningKey
from services.auth.domain.user import User
from services.auth.personal_data import PERSONAL_DATA, forget_identity
from services.auth.sagas.erasure import (
    ERASURE,
    Erasure,
    ErasureState,
    EverybodyForgot,
    NothingStandsInTheWay,
    ServiceReport,
    SomethingStandsInTheWay,
)
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.privacy_messages import AnswerErasure, ReportErasure
from shared.identity.tokens import sign_document
from shared.messaging.consumer import Delivery
from shared.sagas import DEADLINE_PASSED, Cause, Saga

_AT_ONCE = 20
REPORT_TYPE = "erasure-report+jwt"


async def hear_erasure_answer(context: Context, delivery: Delivery[AnswerErasure]) -> None:
    """A service agrees or objects; after the last of them the person is forgotten here, and everywhere else told to be."""
    files: list[str] = []
    async with context.unit_of_work(delivery) as work:
        saga = await work.sagas.load(ERASURE, delivery.message.erasure_id)
        if saga is None:
            return
        saga = await _advance(work, saga, delivery.message)
        if saga.state is ErasureState.CHECKING and saga.data.all_answered:
            if saga.data.blockers:
                await _advance(work, saga, SomethingStandsInTheWay())
            else:
                mine, files, gone = await _forget_here(context, work, saga.data)
                with_mine = saga.data.model_copy(update={"reports": {"auth": mine}})
                await _advance(work, replace(saga, data=with_mine), NothingStandsInTheWay(decided_at=work.now))
                publish_updated(work, gone)  # after the decision: services still know the address that they are to forget
    for key in files:
        await context.files.delete(key)


async def hear_erasure_report(context: Context, delivery: Delivery[ReportErasure]) -> None:
    """A service has forgotten the person; after the last of them the report is signed."""
    key = await context.key_ring.signing()
    async with context.unit_of_work(delivery) as work:
        saga = await work.sagas.load(ERASURE, delivery.message.erasure_id)
        if saga is None:
            return
        saga = await _advance(work, saga, delivery.message)
        if saga.state is ErasureState.ERASING and saga.data.all_reported:
            saga = await _advance(work, saga, EverybodyForgot())
            request = await _request_of(work, saga)
            await work.privacy.save(replace(request, report=_signed(context, work, saga.data, request, key)))
            await work.audit(
                "user.erased",
                origin=SYSTEM,
                actor_id=request.user_id,
                subject_id=request.user_id,
                after={name: report.erased for name, report in saga.data.reports.items()},
            )


async def sweep_erasures(context: Context) -> None:
    """Refuse where a service never answered; tell everybody again where one has not reported."""
    async with context.unit_of_work() as work:
        for saga in await work.sagas.due(ERASURE, work.now, limit=_AT_ONCE):
            await _advance(work, saga, DEADLINE_PASSED)


async def _advance(work: AuthUnitOfWork, saga: Saga[Erasure], cause: Cause) -> Saga[Erasure]:
    moved, messages = ERASURE.advance(saga, cause, work.now)
    await work.sagas.save(moved)
    for message in messages:
        work.outbox.add(message, aggregate_id=moved.data.user_id)
    request = (await _request_of(work, moved)).moved(ErasureState(moved.state).value, work.now)
    await work.privacy.save(replace(request, blockers=tuple(blocker.model_dump() for blocker in moved.data.blockers)))
    return replace(moved, version=moved.version + 1)


async def _request_of(work: AuthUnitOfWork, saga: Saga[Erasure]) -> PrivacyRequest:
    request = await work.privacy.find(saga.id)
    assert request is not None  # noqa: S101 they are added together
    return request


async def _forget_here(context: Context, work: AuthUnitOfWork, erasure: Erasure) -> tuple[ServiceReport, list[str], User]:
    """Forget the person in auth: what was done, which files are to be deleted once that is committed, and what is left."""
    user = await work.users.find(erasure.user_id, lock=True)
    request = await work.privacy.find(erasure.erasure_id)
    assert user is not None  # noqa: S101
    assert request is not None  # noqa: S101
    assert request.secret is not None  # noqa: S101
    secret = context.vault.decrypt_text(request.secret, aad=secret_place(request.id))
    report_url = f"{context.settings.public_url.rstrip('/')}/v1/auth/erasure-reports/{secret}"
    send_mail(work, user, "account_erased", expires_in=timedelta(days=7), link=report_url)
    await end_sessions(work, user.id, reason="erased", origin=SYSTEM, actor_id=user.id)
    erased, files = await forget_identity(work, user.id)
    erased |= await PERSONAL_DATA.erase(work.connection, user.id)
    export = await work.privacy.latest_of(user.id, "export")
    if export is not None and export.status == "ready":
        await work.privacy.save(replace(export, status="expired"))
        files.append(export.archive_key)
    gone = replace(
        user,
        email=erased_email(user.id),
        password_hash=None,
        full_name=ERASED_NAME,
        phone=None,
        phone_verified_at=None,
        email_verified_at=None,
        time_zone="UTC",
        status="closed",
        roles=("user",),
        updated_at=work.now,
    )
    await work.users.save(gone)
    return ServiceReport(erased={"account": 1, **erased}, kept=dict(PERSONAL_DATA.kept)), files, gone


def _signed(context: Context, work: AuthUnitOfWork, erasure: Erasure, request: PrivacyRequest, key: SigningKey) -> str:
    """The report as a signed document (JWS, ES256), which anybody can check with the platform's public keys."""
    assert erasure.decided_at is not None  # noqa: S101
    claims: dict[str, Any] = {
        "iss": context.settings.token_issuer,
        "sub": str(erasure.user_id),
        "jti": str(request.id),
        "iat": int(work.now.timestamp()),
        "requested_at": request.requested_at.isoformat(),
        "decided_at": erasure.decided_at.isoformat(),
        "completed_at": work.now.isoformat(),
        "services": {name: report.model_dump() for name, report in sorted(erasure.reports.items())},
    }
    return sign_document(claims, private_key_pem=key.private_key_pem, key_id=key.id, media_type=REPORT_TYPE)


def report_secret(context: Context, request: PrivacyRequest) -> str:
    """The secret under which the report can be read."""
    assert request.secret is not None  # noqa: S101
    return context.vault.decrypt_text(request.secret, aad=secret_place(request.id))
