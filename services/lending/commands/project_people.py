"""Keep what lending knows of people and wallets in step with the events of their owners."""

from services.lending.context import Context
from services.lending.store.people import Wallet
from shared.contracts.auth.kyc_events import KycApproved, KycExpired, KycRejected, KycSubmitted
from shared.contracts.auth.user_events import UserRegistered
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.consumer import Delivery


async def project_registration(context: Context, delivery: Delivery[UserRegistered]) -> None:
    """Somebody registered."""
    async with context.unit_of_work(delivery) as work:
        await work.people.add(delivery.message.user_id, delivery.message.registered_at)


async def project_kyc_submission(context: Context, delivery: Delivery[KycSubmitted]) -> None:
    """Somebody's identity is being checked. While an earlier approval holds, that changes nothing."""
    event = delivery.message
    async with context.unit_of_work(delivery) as work:
        if not event.renewal:
            await work.people.set_kyc(event.user_id, event.kyc_id, "pending", event.submitted_at)


async def project_kyc_approval(context: Context, delivery: Delivery[KycApproved]) -> None:
    """Somebody's identity is confirmed: they may borrow and lend."""
    event = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.people.set_kyc(event.user_id, event.kyc_id, "approved", event.approved_at)


async def project_kyc_rejection(context: Context, delivery: Delivery[KycRejected]) -> None:
    """Somebody's identity was not confirmed."""
    event = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.people.set_kyc(event.user_id, event.kyc_id, "rejected", event.rejected_at)


async def project_kyc_expiry(context: Context, delivery: Delivery[KycExpired]) -> None:
    """Somebody's identity must be confirmed anew: no new loans and investments until then; those that run go on."""
    event = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.people.set_kyc(event.user_id, event.kyc_id, "unsubmitted", event.expired_at)


async def project_wallet(context: Context, delivery: Delivery[WalletOpened]) -> None:
    """Somebody has a new wallet."""
    event = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.people.add_wallet(Wallet(event.wallet_id, event.user_id, event.currency))
