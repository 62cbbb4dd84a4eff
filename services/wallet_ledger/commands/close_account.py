"""Close an account, for good: by an operator, or a wallet by its owner. It must be empty, and nothing may count on it."""

from collections.abc import Sequence
from uuid import UUID

from services.wallet_ledger.commands.change_account import AccountName, Order, change_account, change_in
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.account_state import AccountState, check_closable
from services.wallet_ledger.domain.chart_of_accounts import wallet_address
from services.wallet_ledger.domain.problems import WalletFrozen, WalletNotFound
from services.wallet_ledger.store.unit_of_work import LedgerWork

_OWNER_ASKED = "Its owner asked for it"


async def close_account(context: Context, name: AccountName, reason: str, operator_id: UUID) -> AccountState:
    """Close it; one that is closed stays so.

    Raises `AccountNotFound`, `PlatformAccount`, `HomeWallet`, `AccountNotEmpty`, `WalletInUse`.
    """
    return await change_account(context, name, Order("closed", operator_id, reason), _close)


async def close_wallet(context: Context, user_id: UUID, wallet_id: UUID) -> None:
    """Close one's own wallet; closing it again changes nothing.

    Raises `WalletNotFound`, `WalletFrozen`, `HomeWallet`, `AccountNotEmpty`, `WalletInUse`.
    """

    async def close(work: LedgerWork, account: AccountState) -> bool:
        if account.status == "frozen":
            raise WalletFrozen("It was frozen by an operator. Ask support before you close it.")
        return await _close(work, account)

    async with context.unit_of_work() as work:
        if await work.wallets.find_for(user_id, wallet_id) is None:
            raise WalletNotFound("Check the id: GET /v1/wallets lists your wallets.")
        await change_in(work, wallet_address(wallet_id), Order("closed", user_id, _OWNER_ASKED), close)


async def _close(work: LedgerWork, account: AccountState) -> bool:
    if account.status == "closed":
        return False
    uses: Sequence[str] = ()
    if account.wallet_id is not None and account.user_id is not None:
        uses = await work.wallet_uses.of(account.user_id, account.wallet_id, account.currency)
    elif account.kind == "loan":
        uses = await work.wallet_uses.named("loan:" + account.address.split(":")[1])
    check_closable(account, uses)
    await work.controls.set_status([account.id], "closed")
    return True
