"""Keep which wallets others count on: what began and what ended, as they told us."""

from uuid import UUID

from services.wallet_ledger.context import Context
from shared.contracts.lending.investment_events import InvestmentHeld, InvestmentReleased
from shared.contracts.lending.loan_events import LoanCancelled, LoanDeclined, LoanExpired, LoanRepaid, LoanSubmitted
from shared.contracts.lending.wallet_use_events import WalletUseChanged
from shared.contracts.payments.deposit_events import DepositExpired, DepositFailed, DepositStarted, DepositSucceeded
from shared.contracts.payments.withdrawal_events import (
    WithdrawalCancelled,
    WithdrawalCompleted,
    WithdrawalFailed,
    WithdrawalRequested,
)
from shared.messaging.consumer import Delivery

DepositEnded = DepositSucceeded | DepositFailed | DepositExpired
WithdrawalEnded = WithdrawalCompleted | WithdrawalFailed | WithdrawalCancelled
LoanEnded = LoanRepaid | LoanDeclined | LoanCancelled | LoanExpired


async def note_deposit(context: Context, delivery: Delivery[DepositStarted]) -> None:
    """Somebody is about to pay into the wallet."""
    started = delivery.message
    async with context.unit_of_work(delivery) as work:
        reference = f"deposit:{started.deposit_id}"
        await work.wallet_uses.begin(reference, started.user_id, started.currency, work.now, wallet_id=started.wallet_id)


async def forget_deposit(context: Context, delivery: Delivery[DepositEnded]) -> None:
    """The money is there, or will not come."""
    await _end(context, delivery, "deposit", delivery.message.deposit_id)


async def note_withdrawal(context: Context, delivery: Delivery[WithdrawalRequested]) -> None:
    """Money is about to be paid out, and may come back."""
    asked = delivery.message
    async with context.unit_of_work(delivery) as work:
        reference = f"withdrawal:{asked.withdrawal_id}"
        await work.wallet_uses.begin(reference, asked.user_id, asked.currency, work.now, wallet_id=asked.wallet_id)


async def forget_withdrawal(context: Context, delivery: Delivery[WithdrawalEnded]) -> None:
    """It is paid out, or back in the wallet."""
    await _end(context, delivery, "withdrawal", delivery.message.withdrawal_id)


async def follow_use(context: Context, delivery: Delivery[WalletUseChanged]) -> None:
    """Lending counts on a wallet, or does so no longer, whatever ended it."""
    use = delivery.message
    async with context.unit_of_work(delivery) as work:
        if use.in_use:
            await work.wallet_uses.begin(
                use.reference, use.user_id, use.currency, work.now, wallet_id=use.wallet_id, loan_id=use.loan_id
            )
        else:
            await work.wallet_uses.end(use.reference)


async def note_loan(context: Context, delivery: Delivery[LoanSubmitted]) -> None:
    """A borrower will be paid, and pay back; messages of old do not say with which wallet."""
    loan = delivery.message
    async with context.unit_of_work(delivery) as work:
        reference = f"loan:{loan.loan_id}"
        await work.wallet_uses.begin(
            reference, loan.borrower_id, loan.currency, work.now, wallet_id=loan.wallet_id, loan_id=loan.loan_id
        )


async def note_investment(context: Context, delivery: Delivery[InvestmentHeld]) -> None:
    """A lender will be paid back; messages of old do not say with which wallet."""
    held = delivery.message
    async with context.unit_of_work(delivery) as work:
        reference = f"investment:{held.investment_id}"
        await work.wallet_uses.begin(
            reference, held.lender_id, held.currency, work.now, wallet_id=held.wallet_id, loan_id=held.loan_id
        )


async def forget_investment(context: Context, delivery: Delivery[InvestmentReleased]) -> None:
    """The lender has the money back."""
    await _end(context, delivery, "investment", delivery.message.investment_id)


async def forget_loan(context: Context, delivery: Delivery[LoanEnded]) -> None:
    """Nothing is owed any more."""
    async with context.unit_of_work(delivery) as work:
        await work.wallet_uses.end_loan(delivery.message.loan_id)


async def _end(
    context: Context, delivery: Delivery[DepositEnded | WithdrawalEnded | InvestmentReleased], what: str, of: UUID
) -> None:
    async with context.unit_of_work(delivery) as work:
        await work.wallet_uses.end(f"{what}:{of}")
