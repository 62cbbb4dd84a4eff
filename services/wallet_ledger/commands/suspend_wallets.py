"""Somebody is suspended, or no longer: no money leaves their wallets, or it may again. Operators' freezes stay."""

from uuid import UUID

from services.wallet_ledger.commands.change_account import account_in, tell_status
from services.wallet_ledger.domain.account_state import Freeze, FreezeCause
from services.wallet_ledger.store.unit_of_work import LedgerWork

_REASON = "Its owner is suspended"


async def suspend_wallets(work: LedgerWork, user_id: UUID) -> None:
    """Freeze every wallet that is not closed, within a unit of work that has nothing left to do but this."""
    if theirs := await work.controls.accounts_of(user_id):
        await work.controls.take_turn()
        open_ones = await work.controls.accounts_of(user_id, status="open")
        await work.controls.add_freezes(theirs, Freeze(FreezeCause.SUSPENSION, _REASON, None, work.now))
        await work.controls.set_status(open_ones, "frozen")
        await _note(work, "account.frozen", user_id, open_ones)


async def resume_wallets(work: LedgerWork, user_id: UUID) -> None:
    """Take that back, within a unit of work that has nothing left to do but this."""
    if theirs := await work.controls.accounts_of(user_id):
        await work.controls.take_turn()
        free = await work.controls.drop_freezes(theirs, FreezeCause.SUSPENSION)
        await work.controls.set_status(free, "open")
        await _note(work, "account.unfrozen", user_id, free)


async def _note(work: LedgerWork, kind: str, user_id: UUID, changed: set[int]) -> None:
    if not changed:
        return
    note = await work.controls.note(kind, f"user:{user_id}", reason=_REASON, initiated_by=None, now=work.now)
    work.outbox.publish(note, aggregate_id=note.transaction_id)
    for account_id in sorted(changed):
        tell_status(work, await account_in(work, account_id), note.booked_at)
