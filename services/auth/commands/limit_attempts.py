"""Refuse guesses that come too fast, and count those that were wrong."""

import math
from collections.abc import Mapping
from datetime import timedelta

from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.problems import TooManyAttempts
from services.auth.domain.throttle import AttemptKey, Rule, after_another
from services.auth.domain.user import User
from services.auth.settings import Settings
from services.auth.store.attempts import AttemptCounters
from services.auth.store.sessions import Sessions
from services.auth.store.unit_of_work import AuthUnitOfWork

_KNOWN_ADDRESS = timedelta(days=90)


def password_rules(settings: Settings, email: str, origin: Origin) -> Mapping[AttemptKey, Rule]:
    """The counters that a wrong password for `email` from `origin` raises."""
    minutes = timedelta(minutes=1)
    here = Rule("account_from_address", settings.auth_account_failures, 0.5 * minutes, 15 * minutes, 60 * minutes)
    everywhere = Rule("account", settings.auth_account_failures_everywhere, 0.5 * minutes, minutes, 15 * minutes)
    address = Rule("address", settings.auth_address_failures, minutes, 5 * minutes, 15 * minutes)
    return {
        AttemptKey.of(here, email, origin.address): here,
        AttemptKey.of(everywhere, email): everywhere,
        AttemptKey.of(address, origin.address): address,
    }


async def refuse_if_blocked(context: Context, rules: Mapping[AttemptKey, Rule], user: User | None, origin: Origin) -> None:
    """Raises `TooManyAttempts` while a counter blocks. An owner's usual address is spared the account-wide counter."""
    now = context.clock.now()
    async with context.read() as connection:
        counters = await AttemptCounters(connection).read(rules)
        waits = {rules[key].kind: counter.wait(now) for key, counter in counters.items()}
        if waits.get("account") and user is not None:
            known = await Sessions(connection).used_from(user.id, origin.address, since=now - _KNOWN_ADDRESS)
            if known:
                waits["account"] = timedelta(0)
    longest = max(waits.values(), default=timedelta(0))
    if longest:
        seconds = math.ceil(longest.total_seconds())
        raise TooManyAttempts(
            f"Wait {seconds} seconds and try again, or set a new password with “forgot password”.",
            headers={"Retry-After": str(seconds)},
        )


async def count_attempt(work: AuthUnitOfWork, rules: Mapping[AttemptKey, Rule]) -> None:
    """Raise every counter by one."""
    counters = await work.attempts.lock(rules, work.now)
    earlier = {key: counter if counter.count else None for key, counter in counters.items()}
    await work.attempts.save({key: after_another(earlier[key], rule, work.now) for key, rule in rules.items()})


async def forget_attempts(work: AuthUnitOfWork, rules: Mapping[AttemptKey, Rule], *kinds: str) -> None:
    """Begin the counters of these kinds anew, because the right password came."""
    await work.attempts.forget([key for key, rule in rules.items() if rule.kind in kinds])


async def mail_allowed(work: AuthUnitOfWork, email: str, purpose: str) -> bool:
    """Whether one more e-mail may go to `email`; counts it. Keeps strangers from filling somebody's mailbox."""
    rule = Rule("mail", 4, timedelta(minutes=10), timedelta(hours=1), timedelta(hours=2))
    key = AttemptKey.of(rule, purpose, email)
    counter = (await work.attempts.lock([key], work.now))[key]
    if counter.wait(work.now):
        return False
    await work.attempts.save({key: after_another(counter if counter.count else None, rule, work.now)})
    return True
