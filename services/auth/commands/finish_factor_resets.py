"""End the second factors of those whose reset has waited long enough, and requests that nobody approved in time."""

from datetime import timedelta
from uuid import UUID

from services.auth.commands.decide_factor_reset import locked_reset
from services.auth.commands.end_session import end_sessions
from services.auth.commands.request_factor_reset import audit_reset, instant
from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_reset import FactorReset
from services.auth.domain.origin import SYSTEM
from services.auth.domain.second_factor import SecondFactor
from services.auth.domain.user import User
from services.auth.store.factor_resets import FactorResets
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id

_AT_ONCE = 50
_WORTH_TELLING = timedelta(days=30)


async def finish_factor_resets(context: Context) -> None:
    """Each in a transaction of its own."""
    async with context.read() as connection:
        overdue = await FactorResets(connection).overdue(context.clock.now(), count=_AT_ONCE)
    for reset_id in overdue:
        await _finish(context, reset_id)


async def _finish(context: Context, reset_id: UUID) -> None:
    async with context.unit_of_work() as work:
        reset, user = await locked_reset(work, reset_id)
        ended = reset.as_of(work.now)
        if reset.due(work.now):
            ended = reset.end("done" if user.active else "void", work.now)
        if ended == reset:
            return
        await work.factor_resets.save(ended)
        await work.links.use_up(user.id, "stop_factor_reset", work.now)
        await audit_reset(work, ended, None, SYSTEM)
        if ended.status == "done":
            await _reset(work, user, ended)


async def _reset(work: AuthUnitOfWork, user: User, reset: FactorReset) -> None:
    """Nothing of before opens the account; until its owner enrols anew, codes go to the address that was told all along."""
    factors = await work.second_factors.of(user.id)
    await work.second_factors.remove_all(user.id)
    await work.second_factors.begin(SecondFactor(new_id(), user.id, "email", None, work.now, confirmed_at=work.now))
    await work.pending_logins.remove_all(user.id)
    await end_sessions(work, user.id, reason="factor_changed", origin=SYSTEM, actor_id=None)
    send_mail(work, user, "factors_reset", expires_in=_WORTH_TELLING, changed_at=instant(work.now))
    await work.audit(
        "user.factors_reset",
        origin=SYSTEM,
        actor_id=None,
        subject_id=user.id,
        before={"methods": list(factors.methods)},
        after={"methods": ["email"], "factor_reset": str(reset.id)},
    )
