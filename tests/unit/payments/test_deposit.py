"""A deposit's own rules: what counts as what was ordered, and when to ask again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.payments.domain.deposit import LIFETIME, Deposit, DepositStatus, deposit_reference
from shared.ids import new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = new_id()
DEPOSIT = Deposit(
    id=ID,
    user_id=new_id(),
    wallet_id=new_id(),
    amount_minor=500,
    currency="KES",
    provider="sandbox",
    reference=deposit_reference(ID),
    status=DepositStatus.PENDING,
    return_url=None,
    idempotency_key="key",
    fingerprint=b"",
    created_at=NOW,
    expires_at=NOW + LIFETIME,
)
PAID = {"reference": DEPOSIT.reference, "amount_minor": 500, "currency": "KES"}


def test_exactly_what_was_ordered_is_no_mismatch():
    assert DEPOSIT.mismatch(**PAID) is None


@pytest.mark.parametrize(
    "wrong", [{"amount_minor": 499}, {"amount_minor": 501}, {"amount_minor": 50_000}, {"currency": "UGX"}, {"reference": "dep_x"}]
)
def test_anything_else_is(wrong):
    found = DEPOSIT.mismatch(**{**PAID, **wrong})
    assert found is not None
    assert "instead of" in found


def test_booking_is_nobody_elses_business():
    assert DepositStatus.CREDITING.public == "pending"
    assert DepositStatus.SUCCEEDED.public == "succeeded"


def test_the_provider_is_asked_often_while_the_deposit_is_young_and_seldom_when_it_is_old():
    pauses = [DEPOSIT.sync_again_at(NOW + age) - (NOW + age) for age in (timedelta(), timedelta(minutes=2), timedelta(hours=9))]
    assert pauses == [timedelta(seconds=15), timedelta(seconds=30), timedelta(minutes=10)]


@pytest.mark.parametrize(
    ("status", "unpaid"),
    [("pending", True), ("expired", True), ("crediting", False), ("succeeded", False), ("failed", True), ("refunded", False)],
)
def test_a_payment_would_be_news_as_long_as_there_was_none(status, unpaid):
    assert replace(DEPOSIT, status=DepositStatus(status)).unpaid is unpaid
