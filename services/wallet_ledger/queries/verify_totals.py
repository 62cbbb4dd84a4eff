"""Checks of sums: accounts against each other, kept trial balances against the journal, wallets against accounts."""

from collections import defaultdict

from services.wallet_ledger.store import verification as sql
from services.wallet_ledger.store.trial_balances import MOVED
from shared.verification import Walk

_TRANSACTIONS_A_STRETCH = 20_000
_NAMES = ("accounts", "debits", "credits", "pending debits", "pending credits")

_MOVED = f"""
SELECT currency, kind, sum(opened)::bigint, sum(debits_minor)::bigint, sum(credits_minor)::bigint,
       sum(pending_debits_minor)::bigint, sum(pending_credits_minor)::bigint
FROM ({MOVED}) AS moved GROUP BY currency, kind
"""  # noqa: S608 constants

_Line = tuple[str, str]
"""A currency and a kind of account."""


async def nothing_to_walk(_: Walk) -> int:
    """For checks that are one statement."""
    return 0


async def check_totals(walk: Walk) -> None:
    """In each currency debits equal credits, pending ones too."""
    if (line := await walk.first(sql.TRIAL_BALANCE)) is not None:
        what = (
            f"debits {line.debits} and credits {line.credits}, "
            f"pending debits {line.pending_debits} and pending credits {line.pending_credits}"
        )
        walk.fault(f"currency {line.currency}", what)


async def check_trial_balances(walk: Walk) -> None:
    """Add the journal up from its beginning: each kept trial balance is what it comes to there, and the accounts at the end."""
    last_sequence = walk.counts["transactions"] and int((await walk.one(sql.LAST_SEQUENCE))[0])
    sums: dict[_Line, list[int]] = defaultdict(lambda: [0] * len(_NAMES))
    walk.counts["kept_trial_balances"], after = 0, 0
    while after < last_sequence:
        kept = (await walk.one("SELECT min(sequence) FROM trial_balances WHERE sequence > $1", after))[0]
        end = min(after + _TRANSACTIONS_A_STRETCH, last_sequence if kept is None else kept)
        for currency, kind, *moved in await walk.rows(_MOVED, after, end):
            sums[currency, kind] = [so_far + more for so_far, more in zip(sums[currency, kind], moved, strict=True)]
        if end == kept:
            walk.counts["kept_trial_balances"] += 1
            _compare(walk, f"the one kept at transaction {end}", end, sums, await walk.rows(sql.KEPT_TRIAL_BALANCE, end))
        walk.advance(end - after)
        after = end
    _compare(walk, "the accounts", None, sums, await walk.rows(sql.PRESENT_TRIAL_BALANCE))


def _compare(walk: Walk, where: str, position: int | None, sums: dict[_Line, list[int]], rows: object) -> None:
    stored = {(currency, kind): [int(value) for value in values] for currency, kind, *values in rows}  # type: ignore[attr-defined]
    for line in sorted(stored.keys() | sums.keys()):
        is_, should = stored.get(line, [0] * len(_NAMES)), sums.get(line, [0] * len(_NAMES))
        if is_ != should:
            differ = [f"{name} {a} instead of {b}" for name, a, b in zip(_NAMES, is_, should, strict=True) if a != b]
            walk.fault(f"{where}, {line[1]} in {line[0]}", "the journal says otherwise: " + ", ".join(differ), position=position)
            return


async def check_wallets(walk: Walk) -> None:
    """Each wallet has its own account, which cannot go below zero."""
    if (wallet := await walk.first(sql.WALLETS)) is not None:
        walk.fault(f"wallet {wallet.id}", "its account is not there, or is not like it")
