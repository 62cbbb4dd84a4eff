"""A refresh token as it came in, and whether it came in the way in which its session was given out."""

from dataclasses import dataclass

from services.auth.commands.issue_tokens import csrf_tokens_of
from services.auth.context import Context
from services.auth.domain.problems import RefreshTokenInvalid
from services.auth.domain.session import Session
from shared.identity.cookies import Carrier, csrf_digest, csrf_matches
from shared.problems.common import CsrfFailed


@dataclass(frozen=True)
class Exchange:
    """From the client itself, or by cookie, and then with the CSRF token that shows that a page of ours sent it."""

    secret: str
    carrier: Carrier = "bearer"
    csrf_token: str | None = None


def refuse_foreign(context: Context, session: Session, exchange: Exchange) -> None:
    """Raises `RefreshTokenInvalid` when the session is held in another way, `CsrfFailed` without its CSRF token."""
    if session.carrier != exchange.carrier:
        raise RefreshTokenInvalid("This session is held in another way. Log in again.")
    known = [csrf_digest(token) for token in csrf_tokens_of(context, session)]
    if session.carrier == "cookie" and not any(csrf_matches(exchange.csrf_token, digest) for digest in known):
        raise CsrfFailed("Send the session's CSRF token as `X-CSRF-Token`. It came with the login, and a cookie holds it.")
