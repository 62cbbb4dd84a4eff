"""Check of holds: each is what the journal opened and settled, and none is missing."""

from uuid import UUID

from services.wallet_ledger.store import verification as sql
from shared.verification import Walk

_HOLDS_A_STRETCH = 20_000


async def size_of_holds(walk: Walk) -> int:
    """How many there are."""
    return int((await walk.one("SELECT count(*) FROM holds"))[0])


async def check_holds(walk: Walk) -> None:
    """Compare each with its rows, and their number with what the journal opened and settled."""
    after, settled, walk.counts["holds"] = UUID(int=0), 0, 0
    while True:
        row = await walk.one(sql.HOLDS, after, _HOLDS_A_STRETCH)
        walk.counts["holds"] += row.rows
        settled += row.settled
        if row.fault is not None:
            walk.fault(f"hold {row.fault_id}", f"it {row.fault}", position=row.fault_sequence)
        walk.advance(row.rows)
        if row.rows < _HOLDS_A_STRETCH:
            break
        after = row.last
    holds, opened, closed = (walk.counts[name] for name in ("holds", "holds_opened", "holds_settled"))
    if not walk.found and (holds, settled) != (opened, closed):
        walk.fault("the whole", f"{holds} holds, {settled} settled; the journal opened {opened} and settled {closed}")
