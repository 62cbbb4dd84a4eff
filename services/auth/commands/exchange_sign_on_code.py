"""Give the app the session that a sign-on has earned, once, for the code that came with the redirect."""

import hmac
from dataclasses import replace

from services.auth.commands.finish_login import SecondStep, begin_second_step
from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, tokens_of
from services.auth.commands.open_session import open_session
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import AccountSuspended, SignOnInvalid
from services.auth.domain.second_factor import added
from services.auth.domain.sign_on import SignOnAttempt

_METHODS = ("sso",)


async def exchange_sign_on_code(
    context: Context, code: str, *, browser_secret: str | None, verifier: str | None, origin: Origin
) -> Tokens | SecondStep:
    """Tokens of a new session, or the second step where the account has a second factor and none was given at the provider.

    One given there opens the session and is no proof for a step-up: nobody here knows how long ago it was.

    The code alone opens nothing: the browser that began brings its cookie, or the app the verifier of its challenge.
    Raises `SignOnInvalid` or `AccountSuspended`.
    """
    secret = new_refresh_secret()
    async with context.unit_of_work() as work:
        attempt = await work.sign_on_attempts.by_code(hash_of(code))
        if attempt is None or attempt.user_id is None or not attempt.opens(work.now):
            raise SignOnInvalid("The code works once and for two minutes. Begin the sign-on again.")
        if not _began_here(attempt, browser_secret, verifier):
            raise SignOnInvalid("Exchange the code in the browser or app in which the sign-on was begun.")
        user = await work.users.find(attempt.user_id, lock=True)
        if user is None or not user.active:
            raise AccountSuspended("Write to support to have it opened again.")
        await work.sign_on_attempts.save(replace(attempt, code_used_at=work.now))
        methods = added(_METHODS, "mfa") if attempt.second_factor else _METHODS
        second_step = None if attempt.second_factor else await begin_second_step(context, work, user, methods, origin)
        if second_step is not None:
            return second_step
        session = await open_session(context, work, user, secret, origin, methods=methods)
    return await tokens_of(context, user, session, secret)


def _began_here(attempt: SignOnAttempt, browser_secret: str | None, verifier: str | None) -> bool:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    if attempt.challenge is not None:
        usable = verifier is not None and verifier.isascii()
        return usable and hmac.compare_digest(create_s256_code_challenge(verifier), attempt.challenge)
    return browser_secret is not None and hmac.compare_digest(hash_of(browser_secret), attempt.browser_hash)
