"""Somebody has a new wallet: money may come into it and go out of it."""

from services.payments.context import Context
from services.payments.store.wallets import Wallet
from shared.contracts.wallet_ledger.account_events import WalletStatusChanged
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.consumer import Delivery


async def remember_wallet(context: Context, delivery: Delivery[WalletOpened]) -> None:
    """Note whose it is, and its currency."""
    opened = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.wallets.remember(Wallet(opened.wallet_id, opened.user_id, opened.currency))


async def follow_wallet_status(context: Context, delivery: Delivery[WalletStatusChanged]) -> None:
    """A closed wallet takes no deposits. Whether money may leave a frozen one the ledger decides each time."""
    changed = delivery.message
    async with context.unit_of_work(delivery) as work:
        if changed.status == "closed":
            await work.wallets.close(changed.wallet_id)
