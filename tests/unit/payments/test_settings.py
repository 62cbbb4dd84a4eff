"""How long a new payout destination waits."""

from datetime import timedelta

import pytest

from services.payments.settings import Settings


@pytest.mark.parametrize(
    ("env", "given", "waits"),
    [
        ("local", None, timedelta()),
        ("test", "", timedelta()),
        ("production", None, timedelta(days=1)),
        ("production", "", timedelta(days=1)),
        ("production", "0", timedelta()),
        ("local", "3600", timedelta(hours=1)),
    ],
)
def test_a_day_in_production_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, env: str, given: str | None, waits: timedelta
) -> None:
    monkeypatch.setenv("LENDERY_ENV", env)
    monkeypatch.setenv("LENDERY_PUBLIC_URL", "https://lendery.example.org")
    if given is not None:
        monkeypatch.setenv("LENDERY_PAYOUT_COOLING_OFF_SECONDS", given)
    assert Settings().payout_cooling_off == waits


@pytest.mark.parametrize("given", ["-1", "a day", "2592001"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("LENDERY_PAYOUT_COOLING_OFF_SECONDS", given)
    with pytest.raises(ValueError, match="payout_cooling_off_seconds"):
        Settings()
