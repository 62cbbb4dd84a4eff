"""From where a night goes on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.wallet_ledger.domain.reconciliation import Comparison, Mismatch, Reconciliation, point_to_go_on_from

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = date(2026, 3, 1)
FOUND = Comparison(last_sequence=70, accounts=3, transfers=9, mismatch_count=0, mismatches=(), after_sequence=50)
RUN = Reconciliation(UUID(int=1), DAY, None, NOW, NOW, FOUND)


@pytest.mark.parametrize(("days_ago", "goes_on"), [(0, True), (6, True), (7, False), (30, False)])
def test_everything_is_added_up_once_a_week(days_ago: int, goes_on: bool) -> None:
    found = point_to_go_on_from(RUN, DAY - timedelta(days=days_ago), DAY)
    assert found == (FOUND if goes_on else None)


def test_what_is_wrong_is_no_beginning_and_neither_is_nothing() -> None:
    wrong = replace(RUN, found=replace(FOUND, mismatch_count=1, mismatches=(Mismatch("fees:KES", "x"),)))
    assert point_to_go_on_from(wrong, DAY, DAY) is None
    assert point_to_go_on_from(None, None, DAY) is None
    assert point_to_go_on_from(RUN, None, DAY) is None
    assert point_to_go_on_from(replace(RUN, found=replace(FOUND, last_sequence=0, after_sequence=0)), DAY, DAY) is None
