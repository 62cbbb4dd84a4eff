"""Refuse guesses that come too fast, and count those that were wrong.

One account and one address have the same counters in every flow: passwords, codes of any kind, resets and step-ups add up.
Each second factor has one of its own besides, which only somebody can reach who got past the first step.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.auth.context import Context
from services.auth.domain.factor_problems import TooManyCodes
from services.auth.domain.origin import Origin
from services.auth.domain.problems import TooManyAttempts
from services.auth.domain.throttle import AttemptKey, Attempts, Rule, after_another
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


def code_rules(settings: Settings, user: User, method: str, origin: Origin) -> Mapping[AttemptKey, Rule]:
    """The counters that a wrong code of `method` for `user` raises: those of the password, and the factor's own.

    The factor's own is the same from everywhere and slow to forget: at its longest block a day has some hundred tries,
    with which one in three thousand days would guess six digits.
    """
    factor = Rule("factor", settings.auth_factor_failures, timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=24))
    return {**password_rules(settings, user.email, origin), AttemptKey.of(factor, user.email, method): factor}


def address_rules(settings: Settings, origin: Origin) -> Mapping[AttemptKey, Rule]:
    """The counter that a wrong secret of nobody in particular raises."""
    rules = password_rules(settings, "", origin)
    return {key: rule for key, rule in rules.items() if rule.kind == "address"}


async def lock_attempts(work: AuthUnitOfWork, rules: Mapping[AttemptKey, Rule], user: User | None, origin: Origin) -> None:
    """As `refuse_if_blocked`, and nobody else can try until the transaction ends: so no guesses slip through in parallel.

    Whoever locks the account too locks it first. Raises `TooManyAttempts`.
    """
    counters = await work.attempts.lock(rules, work.now)
    await _refuse(counters, rules, user, origin, work.sessions, work.now)


async def refuse_if_blocked(context: Context, rules: Mapping[AttemptKey, Rule], user: User | None, origin: Origin) -> None:
    """Raises `TooManyAttempts` while a counter blocks. An owner's usual address is spared the account-wide counter."""
    now = context.clock.now()
    async with context.read() as connection:
        counters = await AttemptCounters(connection, context.vault).read(rules)
        await _refuse(counters, rules, user, origin, Sessions(connection, context.vault), now)


async def _refuse(
    counters: Mapping[AttemptKey, Attempts],
    rules: Mapping[AttemptKey, Rule],
    user: User | None,
    origin: Origin,
    sessions: Sessions,
    now: datetime,
) -> None:
    waits = {rules[key].kind: counter.wait(now) for key, counter in counters.items()}
    if waits.get("account") and user is not None:
        known = await sessions.used_from(user.id, origin.address, since=now - _KNOWN_ADDRESS)
        if known:
            waits["account"] = timedelta(0)
    longest = max(waits.values(), default=timedelta(0))
    if longest:
        seconds = math.ceil(longest.total_seconds())
        raise TooManyAttempts(
            f"Wait {seconds} seconds and try again, or set a new password with “forgot password”.",
            headers={"Retry-After": str(seconds)},
        )


async def count_attempt(work: AuthUnitOfWork, rules: Mapping[AttemptKey, Rule]) -> Mapping[AttemptKey, Attempts]:
    """Raise every counter by one; what they are now."""
    counters = await work.attempts.lock(rules, work.now)
    earlier = {key: counter if counter.count else None for key, counter in counters.items()}
    raised = {key: after_another(earlier[key], rule, work.now) for key, rule in rules.items()}
    await work.attempts.save(raised)
    return raised


async def refuse_wrong_secrets(context: Context, origin: Origin) -> None:
    """Raises `TooManyAttempts` while an address has tried too much, before it can try a secret of nobody in particular."""
    await refuse_if_blocked(context, address_rules(context.settings, origin), None, origin)


async def count_wrong_secret(context: Context, origin: Origin) -> None:
    """Count that an address gave the secret of a link, a login or a passkey that there is not."""
    async with context.unit_of_work() as work:
        await count_attempt(work, address_rules(context.settings, origin))


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


async def refuse_more_codes(work: AuthUnitOfWork, user: User, sent_to: str, origin: Origin) -> None:
    """Count one more code on its way: for the account, for where it goes, and for who asks. Raises `TooManyCodes`.

    What a stranger can make us send to somebody's number, or at our expense, is bounded from all three sides.
    """
    minutes, hours = timedelta(minutes=1), timedelta(hours=1)
    rules = {
        AttemptKey.of(rule, subject): rule
        for rule, subject in (
            (Rule("codes_of_account", 5, 5 * minutes, hours, 2 * hours), str(user.id)),
            (Rule("codes_to", 5, 5 * minutes, hours, 2 * hours), sent_to),
            (Rule("codes_from", 40, 5 * minutes, hours, 2 * hours), origin.address),
        )
    }
    counters = await work.attempts.lock(rules, work.now)
    longest = max(counter.wait(work.now) for counter in counters.values())
    if longest:
        seconds = math.ceil(longest.total_seconds())
        raise TooManyCodes(
            f"Use the last code that you got, or wait {seconds} seconds for another.", headers={"Retry-After": str(seconds)}
        )
    await count_attempt(work, rules)
