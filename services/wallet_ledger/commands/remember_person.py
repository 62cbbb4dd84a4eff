"""Keep what this service needs of a person: how to find them by address, and their home wallet."""

from services.wallet_ledger.commands.open_wallet import open_home_wallet
from services.wallet_ledger.commands.suspend_wallets import resume_wallets, suspend_wallets
from services.wallet_ledger.context import Context
from shared.contracts.auth.user_events import UserRegistered, UserUpdated
from shared.messaging.consumer import Delivery


async def welcome_person(context: Context, delivery: Delivery[UserRegistered]) -> None:
    """Somebody registered: they can be sent money, and have a wallet."""
    registered = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.people.put(registered.user_id, registered.email, active=True)
        await open_home_wallet(work, registered.user_id, registered.home_currency)


async def update_person(context: Context, delivery: Delivery[UserUpdated]) -> None:
    """An account changed: a new address, or it is no longer active, or is again.

    Access tokens outlive a suspension by minutes, and holds that others ask for need none; so it is the ledger that lets no
    money leave the wallets of somebody who is suspended. What comes in, and what was promised before, goes its way.
    """
    updated = delivery.message
    active = updated.status == "active"
    async with context.unit_of_work(delivery) as work:
        await work.wallets.lock_owner(updated.user_id)
        changed = active != await work.people.is_active(updated.user_id)
        await work.people.put(updated.user_id, updated.email, active=active)
        if changed:
            await (resume_wallets if active else suspend_wallets)(work, updated.user_id)
