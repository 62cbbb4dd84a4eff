"""Limit what an account may hold, and what may leave it in one day."""

from uuid import UUID

from services.wallet_ledger.commands.change_account import AccountName, Order, account_in, change_in
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.account_state import AccountState, Limits, check_open_to_change
from services.wallet_ledger.store.unit_of_work import LedgerWork


async def limit_account(context: Context, name: AccountName, limits: Limits, reason: str, operator_id: UUID) -> AccountState:
    """Set both limits. What has left the account today counts, also what left before there was a limit.

    Raises `AccountNotFound`, `AccountClosed`.
    """
    async with context.unit_of_work() as work:
        earlier = await account_in(work, name)
        # Most of the day is added up before it is our turn, so that nobody waits for it.
        debited_minor = await work.controls.debited_today(earlier.id, earlier.version, work.now)

        async def limit(work: LedgerWork, account: AccountState) -> bool:
            check_open_to_change(account)
            if account.limits == limits:
                return False
            lately_minor = await work.controls.debited_today(account.id, account.version, work.now, after=earlier.version)
            await work.controls.set_limits(account, limits, work.now, debited_minor + lately_minor)
            return True

        return await change_in(work, earlier.id, Order("limited", operator_id, reason), limit)
