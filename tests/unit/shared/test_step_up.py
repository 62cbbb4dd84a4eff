"""When a caller has proved lately enough to be there."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.identity import Principal, StepUpRequired, refuse_without_step_up
from shared.ids import new_id

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
LATELY = NOW - timedelta(minutes=10)
LONG_AGO = LATELY - timedelta(seconds=1)


def person(**fields: object) -> Principal:
    return Principal(new_id(), frozenset({"user"}), session_id=new_id(), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "enough"),
    [
        ({"authenticated_at": LATELY}, True),
        ({"authenticated_at": LONG_AGO}, False),
        ({"authenticated_at": NOW + timedelta(minutes=2)}, False),
        ({}, False),
        ({"authenticated_at": NOW, "mfa": True}, False),
        ({"authenticated_at": NOW, "mfa": True, "mfa_at": LONG_AGO}, False),
        ({"authenticated_at": LONG_AGO, "mfa": True, "mfa_at": LATELY}, True),
        ({"authenticated_at": LONG_AGO, "mfa": False, "mfa_at": LATELY}, False),
    ],
)
def test_a_second_factor_counts_where_there_is_one_and_else_the_login(fields: dict[str, object], enough: bool) -> None:
    assert person(**fields).stepped_up(NOW) is enough


def test_the_refusal_says_what_to_do() -> None:
    with pytest.raises(StepUpRequired) as refusal:
        refuse_without_step_up(person(mfa=True, step_up_methods=("passkey", "totp")), NOW)
    problem = refusal.value
    assert (problem.status, problem.code) == (401, "step_up_required")
    assert problem.extra["methods"] == ["passkey", "totp"]
    assert problem.extra["max_age_seconds"] == 600
    assert "POST /v1/auth/step-up" in problem.detail
    assert problem.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_user_authentication"')


def test_only_an_api_client_has_nobody_to_ask() -> None:
    refuse_without_step_up(Principal(new_id(), frozenset({"partner"})), NOW)
    for caller in (
        Principal(new_id(), frozenset({"partner", "user"})),
        Principal(new_id(), frozenset({"partner"}), session_id=new_id()),
        Principal(new_id(), frozenset({"user"})),
    ):
        with pytest.raises(StepUpRequired):
            refuse_without_step_up(caller, NOW)
