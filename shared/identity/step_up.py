"""Asking for a fresh proof of who is there, before something that a stolen token must not do."""

from collections.abc import Iterable
from datetime import datetime

from shared.identity.principal import STEP_UP_MAX_AGE, Principal
from shared.problems import Unauthenticated

_MAX_AGE_SECONDS = int(STEP_UP_MAX_AGE.total_seconds())


class StepUpRequired(Unauthenticated):
    """The token is good, but the person must prove once more to be there: `POST /v1/auth/step-up`, then try again."""

    code = "step_up_required"
    title = "Confirm that it is you"


def step_up_required(methods: Iterable[str]) -> StepUpRequired:
    """The problem that says how: which methods of the account are taken, and how long the proof then counts."""
    known = list(methods)
    how = f"Prove it with POST /v1/auth/step-up ({', '.join(known)})" if known else "Log in again"
    return StepUpRequired(
        f"{how}, then send this request again with the new access token. The proof counts for {_MAX_AGE_SECONDS // 60} minutes.",
        headers={  # RFC 9470
            "WWW-Authenticate": f'Bearer error="insufficient_user_authentication", max_age="{_MAX_AGE_SECONDS}"'
        },
        extra={
            "methods": known,
            "max_age_seconds": _MAX_AGE_SECONDS,
            "step_up": {"method": "POST", "path": "/v1/auth/step-up"} if known else {"method": "POST", "path": "/v1/auth/login"},
        },
    )


def refuse_without_step_up(principal: Principal, now: datetime) -> None:
    """Raises `StepUpRequired` unless the caller proved lately to be there. An API client has nobody who could: it may."""
    if not principal.is_api_client and not principal.stepped_up(now):
        raise step_up_required(principal.step_up_methods)
