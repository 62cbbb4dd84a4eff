"""Open a wallet: the first one at registration, in the home currency, and more when their owner asks."""

from dataclasses import replace
from uuid import UUID

from services.wallet_ledger.commands.suspend_wallets import suspend_wallets
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.problems import TooManyWallets
from services.wallet_ledger.domain.wallet import HOME_NAME, MAX_WALLETS, Wallet
from services.wallet_ledger.store.unit_of_work import LedgerWork
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.ids import new_id


async def open_wallet(context: Context, user_id: UUID, currency: str, name: str | None) -> Wallet:
    """A further wallet in `currency`. Raises `TooManyWallets`."""
    async with context.unit_of_work() as work:
        await work.wallets.lock_owner(user_id)
        if await work.wallets.count_of(user_id) >= MAX_WALLETS:
            raise TooManyWallets(f"You have {MAX_WALLETS} wallets, the most there can be. Use one of them, or close one.")
        wallet = await _open(work, user_id, currency, name or f"{currency} wallet", is_home=False)
        if not await work.people.is_active(user_id):
            await suspend_wallets(work, user_id)
            return replace(wallet, status="frozen")
        return wallet


async def ensure_home_wallet(context: Context, user_id: UUID) -> None:
    """Open the first wallet of somebody whose registration we have not heard of yet, unless it is there."""
    async with context.unit_of_work() as work:
        await open_home_wallet(work, user_id, context.settings.home_currency)


async def open_home_wallet(work: LedgerWork, user_id: UUID, currency: str) -> None:
    """Open the first wallet, unless it is there."""
    await work.wallets.lock_owner(user_id)
    if await work.wallets.home_of(user_id) is None:
        await _open(work, user_id, currency, HOME_NAME, is_home=True)


async def _open(work: LedgerWork, user_id: UUID, currency: str, name: str, *, is_home: bool) -> Wallet:
    wallet = await work.wallets.open(new_id(), user_id, currency, name, is_home=is_home, opened_at=work.now)
    opened = WalletOpened(wallet_id=wallet.id, user_id=user_id, currency=currency, name=name, opened_at=wallet.opened_at)
    work.outbox.publish(opened, aggregate_id=wallet.id)
    return wallet
