"""Checks of ends of days: none is missing, and each has what the journal comes to there, by effective date too."""

from services.wallet_ledger.store import verification_of_days as sql
from shared.verification import Walk

_DAYS_A_STRETCH = 20_000
_ACCOUNTS_A_STRETCH = 5_000
_SHIFTED_ACCOUNTS_A_STRETCH = 200
_FIRST = -(2**63) + 1


async def size_of_days(walk: Walk) -> int:
    """How many ends of days are kept."""
    return int((await walk.one("SELECT count(*) FROM day_balances"))[0])


async def check_days(walk: Walk) -> None:
    """Each account's days follow each other without a gap in its versions, and end with the balances of its rows."""
    walk.counts["ends_of_days"] = 0
    account_id, day, previous = _FIRST, None, 0
    while True:
        row = await walk.one(sql.DAYS, account_id, day, previous, _DAYS_A_STRETCH)
        walk.counts["ends_of_days"] += row.rows
        if row.fault is not None:
            walk.fault(f"account {row.fault_account_id}, day {row.fault_day}", row.fault, position=row.fault_sequence)
        walk.advance(row.rows)
        if row.rows < _DAYS_A_STRETCH:
            break
        account_id, day, previous = row.last_account_id, row.last_day, row.last_version
    after = _FIRST
    while True:
        row = await walk.one(sql.LAST_DAYS, after, _ACCOUNTS_A_STRETCH)
        if row.fault_account_id is not None:
            walk.fault(f"account {row.fault_account_id}", "a day on which it was booked to is closed without it")
        if row.rows < _ACCOUNTS_A_STRETCH:
            return
        after = row.last_account_id


async def check_shifts(walk: Walk) -> None:
    """Each kept shift is the one before it and what the dated rows since then change; none of them is left out."""
    after = _FIRST
    while True:
        row = await walk.one(sql.SHIFTS, after, _SHIFTED_ACCOUNTS_A_STRETCH)
        if row.fault_account_id is not None:
            where = f"account {row.fault_account_id}, day {row.fault_day}, version {row.fault_version}"
            walk.fault(where, f"the shift is {row.is_minor}, and its dated rows make it {row.should_minor}")
        if row.accounts < _SHIFTED_ACCOUNTS_A_STRETCH:
            break
        after = row.last_account_id
    if (lost := await walk.first(sql.LOST_SHIFT)) is not None:
        where = f"account {lost.account_id}, version {lost.version}, transaction {lost.sequence}"
        walk.fault(where, f"it counts for {lost.effective_on}, and no shift was kept for that", position=lost.sequence)
