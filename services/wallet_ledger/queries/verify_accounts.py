"""Check of accounts: each has all its rows, in order, each with the balances that follow, and is itself at the last."""

from dataclasses import dataclass
from typing import Any

from services.wallet_ledger.store import verification as sql
from shared.verification import Walk

_ACCOUNTS_A_STRETCH = 2_000
_LEGS_A_STRETCH = 100_000
_NO_LIMIT = 2**63 - 1


@dataclass
class _Account:
    """An account as it is stored."""

    id: int
    address: str
    currency: str
    version: int
    debits: int
    credits: int
    pending_debits: int
    pending_credits: int


@dataclass(frozen=True)
class _Totals:
    """What rows of one account sum up to, from its first on; where the last of them is, and the first that is wrong."""

    rows: int = 0
    debits: int = 0
    credits: int = 0
    pending_debits: int = 0
    pending_credits: int = 0
    last_place: tuple[int, int] = (0, 0)
    fault: tuple[int, int, int, str] | None = None


def _account(row: Any) -> _Account:
    return _Account(*row)


async def size_of_accounts(walk: Walk) -> int:
    """How many rows the accounts say that they have."""
    return int((await walk.one("SELECT coalesce(sum(version), 0)::bigint FROM accounts"))[0])


async def check_accounts(walk: Walk) -> None:
    """Walk every account's rows: some accounts with few rows at once, or one with many in parts."""
    after, stretch, legs = -_NO_LIMIT, list[_Account](), 0
    walk.counts["accounts"], counted = 0, 0
    while True:
        rows = await walk.rows(sql.ACCOUNTS, after, _ACCOUNTS_A_STRETCH)
        for row in rows:
            account = _account(row)
            if stretch and legs + account.version > _LEGS_A_STRETCH:
                counted += await _check_stretch(walk, stretch)
                stretch, legs = [], 0
            stretch.append(account)
            legs += account.version
            after = account.id
        if len(rows) < _ACCOUNTS_A_STRETCH:
            break
    if stretch:
        counted += await _check_stretch(walk, stretch)
    if counted != 2 * walk.counts["transfers"] and (lost := await walk.first(sql.ROW_WITHOUT_ACCOUNT)) is not None:
        where = f"transaction {lost.transaction_sequence}, position {lost.position}"
        walk.fault(where, "its account is not there", position=lost.transaction_sequence)


async def _check_stretch(walk: Walk, accounts: list[_Account]) -> int:
    walk.counts["accounts"] += len(accounts)
    if len(accounts) > 1:
        totals = await _totals(walk, accounts[0].id, accounts[-1].id, 0, _NO_LIMIT, _Totals())
    else:
        totals, so_far = {}, _Totals()
        highest = accounts[0].version
        for low in range(0, max(highest, 1), _LEGS_A_STRETCH):
            high = low + _LEGS_A_STRETCH if low + _LEGS_A_STRETCH < highest else _NO_LIMIT
            part = await _totals(walk, accounts[0].id, accounts[0].id, low, high, so_far)
            so_far = part.get(accounts[0].id, so_far)
            totals = {accounts[0].id: so_far}
    for account in accounts:
        await _compare(walk, account, totals.get(account.id, _Totals()))
    return sum(one.rows for one in totals.values())


async def _totals(walk: Walk, first_id: int, last_id: int, low: int, high: int, before: _Totals) -> dict[int, _Totals]:
    values = (
        first_id, last_id, low, high, before.credits - before.debits, before.pending_debits, before.pending_credits,
        *before.last_place,
    )  # fmt: skip
    found: dict[int, _Totals] = {}
    for row in await walk.rows(sql.CHAINS, *values):
        found[row.account_id] = _Totals(
            before.rows + row.rows,
            before.debits + row.debits,
            before.credits + row.credits,
            before.pending_debits + row.debit_pending,
            before.pending_credits + row.credit_pending,
            (row.last_sequence, row.last_position),
            before.fault or _fault(row),
        )
    walk.advance(sum(one.rows - before.rows for one in found.values()))
    return found


def _fault(row: Any) -> tuple[int, int, int, str] | None:
    if row.fault_version is None:
        return None
    return row.fault_version, row.fault_sequence, row.fault_position, row.fault


async def _compare(walk: Walk, account: _Account, totals: _Totals) -> None:
    where = f"account {account.address}"
    if totals.fault is not None:
        version, sequence, position, what = totals.fault
        transaction_id = await walk.first("SELECT id FROM transactions WHERE sequence = $1", sequence)
        place = f"transaction {sequence} ({transaction_id[0] if transaction_id else 'not there'}), position {position}"
        walk.fault(f"{where}, version {version}, {place}", what, position=sequence)
        return
    stored = (account.version, account.debits, account.credits, account.pending_debits, account.pending_credits)
    counted = (totals.rows, totals.debits, totals.credits, totals.pending_debits, totals.pending_credits)
    if stored != counted:
        names = ("version", "debits", "credits", "pending debits", "pending credits")
        differ = [
            f"{name} {is_} instead of {should}" for name, is_, should in zip(names, stored, counted, strict=True) if is_ != should
        ]
        walk.fault(where, "its rows say otherwise: " + ", ".join(differ))
