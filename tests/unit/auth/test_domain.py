"""Sessions, throttling, identity checks, links: the rules, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.countries import COUNTRIES
from services.auth.domain.kyc import (
    KycDetails,
    KycSubmission,
    age_years,
    check_age,
    check_resubmission,
)
from services.auth.domain.links import hash_of, link_to
from services.auth.domain.problems import AccountClosed, KycAlreadyApproved, KycAlreadyDecided, KycPending, OwnSubmission
from services.auth.domain.session import RefreshToken, Session, Verdict, judge
from services.auth.domain.throttle import AttemptKey, Attempts, Rule, after_another
from services.auth.domain.user import new_user
from shared.problems import InvalidRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = UUID(int=1)
GRACE = timedelta(seconds=10)
SESSION = Session(ID, ID, "", "", ("pwd",), NOW, NOW, NOW + timedelta(days=90))
FRESH = RefreshToken(ID, ID, None, b"", NOW + timedelta(days=30))
USED = replace(FRESH, used_at=NOW)
CHILD = RefreshToken(UUID(int=2), ID, ID, b"", NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("token", "child", "at", "verdict"),
    [
        (FRESH, None, NOW, Verdict.ROTATE),
        (FRESH, None, NOW + timedelta(days=30), Verdict.DEAD),
        (USED, CHILD, NOW, Verdict.REPEAT),
        (USED, CHILD, NOW - timedelta(milliseconds=5), Verdict.REPEAT),
        (USED, CHILD, NOW + GRACE - timedelta(microseconds=1), Verdict.REPEAT),
        (USED, CHILD, NOW + GRACE, Verdict.REUSED),
        (USED, replace(CHILD, used_at=NOW), NOW, Verdict.REUSED),
        (USED, None, NOW, Verdict.REUSED),
        (FRESH, None, NOW + timedelta(days=90), Verdict.DEAD),
    ],
)
def test_refresh_tokens(token: RefreshToken, child: RefreshToken | None, at: datetime, verdict: Verdict) -> None:
    assert judge(SESSION, token, child, at, GRACE) is verdict


@pytest.mark.parametrize("late", [-5, 0, 5])
def test_without_a_grace_nothing_is_repeated(late: int) -> None:
    now = NOW + timedelta(milliseconds=late)
    assert judge(SESSION, USED, CHILD, now, timedelta(0)) is Verdict.REUSED


@pytest.mark.parametrize("token", [FRESH, USED])
def test_nothing_revives_an_ended_session(token: RefreshToken) -> None:
    ended = replace(SESSION, ended_at=NOW, end_reason="logout")
    assert judge(ended, token, CHILD, NOW, GRACE) is Verdict.DEAD


RULE = Rule("account", 3, timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1))


def test_attempts_are_free_then_slower_and_slower_up_to_a_limit() -> None:
    counter: Attempts | None = None
    waits = []
    for _ in range(8):
        counter = after_another(counter, RULE, NOW)
        waits.append(counter.wait(NOW).total_seconds())
    assert waits == [0, 0, 30, 60, 120, 240, 300, 300]


def test_attempts_are_forgotten() -> None:
    counter = Attempts(50, NOW, NOW + timedelta(minutes=5))
    later = NOW + timedelta(hours=1, seconds=1)
    assert counter.wait(later) == timedelta(0)
    assert after_another(counter, RULE, later) == Attempts(1, later)


@given(st.integers(min_value=1, max_value=10_000))
def test_no_attacker_can_block_for_longer_than_the_rule_says(count: int) -> None:
    counter = after_another(Attempts(count, NOW), RULE, NOW)
    assert counter.wait(NOW) <= RULE.longest_block


def test_counters_of_different_subjects_do_not_meet() -> None:
    keys = {AttemptKey.of(RULE, "a", "bc"), AttemptKey.of(RULE, "ab", "c"), AttemptKey.of(replace(RULE, kind="x"), "a", "bc")}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("born", "years"),
    [(date(2008, 3, 1), 18), (date(2008, 3, 2), 17), (date(2008, 2, 29), 18), (date(2026, 3, 1), 0), (date(2030, 1, 1), -4)],
)
def test_age(born: date, years: int) -> None:
    assert age_years(born, NOW.date()) == years


def test_only_adults_who_can_be_alive() -> None:
    check_age(date(2008, 3, 1), NOW.date())
    for born in (date(2008, 3, 2), date(1900, 1, 1), date(2026, 3, 2)):
        with pytest.raises(InvalidRequest):
            check_age(born, NOW.date())


LAST_DAY = NOW.date() + timedelta(days=730)
SUBMISSION = KycSubmission(
    id=ID,
    user_id=UUID(int=7),
    status="pending",
    country="KE",
    document_type="passport",
    details=KycDetails("Amina", date(1990, 1, 31), "Nairobi", "A1"),
    submitted_at=NOW,
)


def test_decisions() -> None:
    approved, rejected = SUBMISSION.approve(ID, NOW, level=2, expires_on=LAST_DAY), SUBMISSION.reject(ID, "blurred", NOW)
    assert (approved.status, approved.decided_by, approved.decided_at) == ("approved", ID, NOW)
    assert (rejected.status, rejected.reason) == ("rejected", "blurred")
    later = NOW + timedelta(days=1)
    assert approved.approve(UUID(int=9), later, level=3, expires_on=LAST_DAY) == approved
    assert rejected.reject(UUID(int=9), "other", later) == rejected
    with pytest.raises(KycAlreadyDecided):
        approved.reject(ID, "blurred", later)
    with pytest.raises(KycAlreadyDecided):
        rejected.approve(ID, later, level=2, expires_on=LAST_DAY)
    with pytest.raises(OwnSubmission):
        SUBMISSION.approve(SUBMISSION.user_id, NOW, level=2, expires_on=LAST_DAY)


def test_who_may_submit_again() -> None:
    today = NOW.date()
    check_resubmission(None, today)
    check_resubmission(SUBMISSION.reject(ID, "blurred", NOW), today)
    with pytest.raises(KycPending):
        check_resubmission(SUBMISSION, today)
    with pytest.raises(KycAlreadyApproved):
        check_resubmission(SUBMISSION.approve(ID, NOW, level=2, expires_on=LAST_DAY), today)
    approved = SUBMISSION.approve(ID, NOW, level=2, expires_on=LAST_DAY)
    check_resubmission(approved, LAST_DAY - timedelta(days=30))
    check_resubmission(approved.expire(), today)


def test_countries() -> None:
    assert len(COUNTRIES) == 249
    assert {"KE", "NG", "IR", "US", "DE"} <= COUNTRIES


def test_links_lead_to_the_configured_address_only() -> None:
    link = link_to("verify_email", "https://lendery.example/", "a+b/c")
    assert link == "https://lendery.example/v1/auth/pages/verify-email?token=a%2Bb%2Fc"
    assert len(hash_of("a")) == 32


def test_a_closed_account_stays_closed() -> None:
    user = new_user(
        user_id=ID, email="a@b.c", password_hash="x", full_name="A", phone=None, home_currency="KES", now=NOW
    ).with_status("closed", NOW)
    assert not user.active
    assert user.with_status("closed", NOW).status == "closed"
    with pytest.raises(AccountClosed):
        user.with_status("active", NOW)
