"""Taking one payment from the borrower and sharing it out. The saga's id is the repayment's.

It is one ledger transaction, so there is nothing to compensate: the borrower is debited and every lender credited, or
nothing has happened. What is sent is remembered whole, so that what is sent again is the same to the byte.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.lending.domain.posting import Movement
from services.lending.sagas.awaiting import ANSWER_WITHIN, AwaitingLedger
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction, Transfer
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import derived_id
from shared.messaging.envelope import Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, ignored


class State(StrEnum):
    """Where the payment is."""

    POSTING = "posting"
    COMPLETED = "completed"
    REJECTED = "rejected"


class Share(SagaData):
    """What one lender gets, in minor units; the interest is before the service fee."""

    investment_id: UUID
    principal_minor: int
    interest_minor: int
    service_fee_minor: int


class Payment(AwaitingLedger):
    """The transaction that was sent, and how it is shared out."""

    repayment_id: UUID
    transaction: PostTransaction
    shares: tuple[Share, ...] = ()


def payment(repayment_id: UUID, loan_id: UUID, currency: str, movements: Sequence[Movement], shares: Sequence[Share]) -> Payment:
    """What to remember when the transaction of `movements` is sent."""
    transaction = PostTransaction(
        transaction_id=repayment_id,
        idempotency_key=f"repayment:{repayment_id}",
        kind="loan.repayment",
        reference=f"repayment:{repayment_id}",
        entries=[
            Transfer(
                id=derived_id("repayment", repayment_id, position),
                debit_account=movement.debit_account,
                credit_account=movement.credit_account,
                amount_minor=movement.amount_minor,
                currency=currency,
                kind=movement.kind,
                description=f"loan {loan_id}",
            )
            for position, movement in enumerate(movements)
        ],
    )
    return Payment(awaiting=repayment_id, repayment_id=repayment_id, transaction=transaction, shares=tuple(shares))


def send_payment(data: Payment, _: object = None) -> Sequence[Message]:
    """Send the transaction, for the first time or again."""
    return [data.transaction]


_END = (TransactionPosted, TransactionRejected, DEADLINE_PASSED)

REPAYMENT: Definition[Payment] = Definition(
    kind="repayment",
    data=Payment,
    start=State.POSTING,
    final={State.COMPLETED, State.REJECTED},
    triggers={TransactionPosted, TransactionRejected, DEADLINE_PASSED},
    deadlines={State.POSTING: ANSWER_WITHIN},
    table={
        (State.POSTING, TransactionPosted): Step(State.COMPLETED),
        (State.POSTING, TransactionRejected): Step(State.REJECTED),
        (State.POSTING, DEADLINE_PASSED): Step(State.POSTING, send=send_payment),
        **ignored(State.COMPLETED, *_END),
        **ignored(State.REJECTED, *_END),
    },
)
