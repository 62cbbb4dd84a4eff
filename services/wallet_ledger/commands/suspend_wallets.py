"""Somebody is suspended, or no longer: no money leaves their wallets, or it may again. Operators' freezes stay.

Somebody who is forgotten has no wallets any more: nothing moves.
"""

from uuid import UUID

from services.wallet_ledger.commands.change_account import account_in, tell_status
from services.wallet_ledger.domain.account_state import Freeze, FreezeCause
from services.wallet_ledger.store.unit_of_work import LedgerWork

_REASON = "Its owner is suspended"
_GONE = "Its owner left"


async def suspend_wallets(work: LedgerWork, user_id: UUID) -> None:
    """Freeze every wallet that is not closed, within a unit of work that has nothing left to do but this."""
    if theirs := await work.controls.accounts_of(user_id):
        await work.controls.take_turn()
        open_ones = await work.controls.accounts_of(user_id, status="open")
        await work.controls.add_freezes(theirs, Freeze(FreezeCause.SUSPENSION, _REASON, None, work.now))
        await work.controls.set_status(open_ones, "frozen")
        await _note(work, "account.frozen", user_id, open_ones, _REASON)


async def resume_wallets(work: LedgerWork, user_id: UUID) -> None:
    """Take that back, within a unit of work that has nothing left to do but this."""
    if theirs := await work.controls.accounts_of(user_id):
        await work.controls.take_turn()
        free = await work.controls.drop_freezes(theirs, FreezeCause.SUSPENSION)
        await work.controls.set_status(free, "open")
        await _note(work, "account.unfrozen", user_id, free, _REASON)


async def close_wallets_of_erased(work: LedgerWork, user_id: UUID) -> dict[str, int]:
    """Close every wallet of somebody who is forgotten, the first one too, within a unit of work that has nothing left to do.

    Money that came in since nothing stood in the way stays where it is: that wallet is frozen, for operators to look at.
    """
    await work.wallets.lock_owner(user_id)
    if not await work.controls.accounts_of(user_id):
        return {}
    await work.controls.take_turn()
    theirs = await work.controls.accounts_of(user_id)
    states = [await account_in(work, account_id) for account_id in sorted(theirs)]
    empty = {state.id for state in states if not (state.balance_minor or state.held_minor or state.incoming_minor)}
    to_freeze = {state.id for state in states if state.id not in empty and state.status == "open"}
    if theirs - empty:
        await work.controls.add_freezes(theirs - empty, Freeze(FreezeCause.SUSPENSION, _GONE, None, work.now))
    await work.controls.set_status(to_freeze, "frozen")
    await work.controls.set_status(empty, "closed")
    await _note(work, "account.frozen", user_id, to_freeze, _GONE)
    await _note(work, "account.closed", user_id, empty, _GONE)
    return {"closed_wallets": len(empty)} | ({"frozen_wallets": len(to_freeze)} if to_freeze else {})


async def _note(work: LedgerWork, kind: str, user_id: UUID, changed: set[int], reason: str) -> None:
    if not changed:
        return
    note = await work.controls.note(kind, f"user:{user_id}", reason=reason, initiated_by=None, now=work.now)
    work.outbox.publish(note, aggregate_id=note.transaction_id)
    for account_id in sorted(changed):
        because = "owner_left" if reason == _GONE else "owner_suspended"
        tell_status(work, await account_in(work, account_id), note.booked_at, because)
