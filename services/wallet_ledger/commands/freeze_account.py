"""Freeze an account: money may come in, none may leave or be promised. And let it go again."""

from uuid import UUID

from services.wallet_ledger.commands.change_account import AccountName, Order, change_account
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.account_state import AccountState, Freeze, FreezeCause, check_open_to_change
from services.wallet_ledger.domain.problems import OwnerSuspended
from services.wallet_ledger.store.unit_of_work import LedgerWork


async def freeze_account(context: Context, name: AccountName, reason: str, operator_id: UUID) -> AccountState:
    """Freeze it; one that an operator has frozen before stays as it is. Raises `AccountNotFound`, `AccountClosed`."""

    async def freeze(work: LedgerWork, account: AccountState) -> bool:
        check_open_to_change(account)
        if account.frozen_for(FreezeCause.OPERATOR):
            return False
        await work.controls.add_freezes([account.id], Freeze(FreezeCause.OPERATOR, reason, operator_id, work.now))
        await work.controls.set_status([account.id], "frozen")
        return True

    return await change_account(context, name, Order("frozen", operator_id, reason), freeze)


async def unfreeze_account(context: Context, name: AccountName, reason: str, operator_id: UUID) -> AccountState:
    """Take an operator's freeze back. Where the owner is suspended too, the account stays frozen for that.

    Raises `AccountNotFound`, `AccountClosed`, and `OwnerSuspended` when no operator has frozen it.
    """

    async def unfreeze(work: LedgerWork, account: AccountState) -> bool:
        check_open_to_change(account)
        if not account.frozen_for(FreezeCause.OPERATOR):
            if account.frozen_for(FreezeCause.SUSPENSION):
                raise OwnerSuspended("The account opens when its owner does: PATCH /v1/admin/users/{id} with status active.")
            return False
        free = await work.controls.drop_freezes([account.id], FreezeCause.OPERATOR)
        await work.controls.set_status(free, "open")
        return True

    return await change_account(context, name, Order("unfrozen", operator_id, reason), unfreeze)
