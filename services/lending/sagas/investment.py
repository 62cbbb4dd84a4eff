"""Reserving one lender's money for a loan. The saga's id is the investment's."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.lending.sagas.awaiting import ANSWER_WITHIN, AwaitingLedger
from shared.contracts.lending.loan_events import LoanCancelled, LoanExpired
from shared.contracts.wallet_ledger.transaction_commands import Hold, PostTransaction, VoidHold
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import derived_id
from shared.messaging.envelope import Message
from shared.sagas import DEADLINE_PASSED, Definition, Step, ignored


class State(StrEnum):
    """`abandoned`: the loan closed before the ledger had answered; `releasing`: and then the money was held after all."""

    HOLDING = "holding"
    HELD = "held"
    REJECTED = "rejected"
    ABANDONED = "abandoned"
    RELEASING = "releasing"
    RELEASED = "released"


class Reservation(AwaitingLedger):
    """What is reserved, and for which loan."""

    investment_id: UUID
    loan_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str


def holds_of(loan_id: UUID) -> str:
    """The group in which the ledger keeps all holds for a loan."""
    return f"loan:{loan_id}"


def reservation(investment_id: UUID, loan_id: UUID, wallet_id: UUID, amount_minor: int, currency: str) -> Reservation:
    """What to remember when the hold is sent."""
    return Reservation(
        awaiting=derived_id("hold", investment_id),
        investment_id=investment_id,
        loan_id=loan_id,
        wallet_id=wallet_id,
        amount_minor=amount_minor,
        currency=currency,
    )


def send_hold(data: Reservation, _: object = None) -> Sequence[Message]:
    """Reserve the money. The investment's id is the hold's."""
    hold = Hold(
        id=data.investment_id,
        group=holds_of(data.loan_id),
        debit_account=f"wallet:{data.wallet_id}",
        credit_account=f"loan:{data.loan_id}:funding",
        amount_minor=data.amount_minor,
        currency=data.currency,
        kind="loan.investment",
    )
    transaction_id = derived_id("hold", data.investment_id)
    return [
        PostTransaction(
            transaction_id=transaction_id,
            idempotency_key=f"investment-hold:{data.investment_id}",
            kind="loan.investment.hold",
            reference=f"investment:{data.investment_id}",
            entries=[hold],
        )
    ]


def await_release(data: Reservation, _: object) -> Reservation:
    """From now on the answer to the release counts."""
    return data.model_copy(update={"awaiting": derived_id("release", data.investment_id)})


def send_release(data: Reservation, _: object) -> Sequence[Message]:
    """Give the money back."""
    return [
        PostTransaction(
            transaction_id=derived_id("release", data.investment_id),
            idempotency_key=f"investment-release:{data.investment_id}",
            kind="loan.investment.release",
            reference=f"investment:{data.investment_id}",
            entries=[VoidHold(hold_id=data.investment_id)],
        )
    ]


_CLOSED = (LoanCancelled, LoanExpired)
_RELEASE: Step[Reservation] = Step(State.RELEASING, remember=await_release, send=send_release)
_ABANDON: Step[Reservation] = Step(State.ABANDONED)

INVESTMENT: Definition[Reservation] = Definition(
    kind="investment",
    data=Reservation,
    start=State.HOLDING,
    final={State.HELD, State.REJECTED, State.RELEASED},
    triggers={TransactionPosted, TransactionRejected, DEADLINE_PASSED, *_CLOSED},
    deadlines=dict.fromkeys((State.HOLDING, State.ABANDONED, State.RELEASING), ANSWER_WITHIN),
    table={
        (State.HOLDING, TransactionPosted): Step(State.HELD),
        (State.HOLDING, TransactionRejected): Step(State.REJECTED),
        (State.HOLDING, DEADLINE_PASSED): Step(State.HOLDING, send=send_hold),
        (State.HOLDING, LoanCancelled): _ABANDON,
        (State.HOLDING, LoanExpired): _ABANDON,
        (State.ABANDONED, TransactionPosted): _RELEASE,
        (State.ABANDONED, TransactionRejected): Step(State.REJECTED),
        (State.ABANDONED, DEADLINE_PASSED): Step(State.ABANDONED, send=send_hold),
        **ignored(State.ABANDONED, *_CLOSED),
        (State.RELEASING, TransactionPosted): Step(State.RELEASED),
        # The release of the whole group came first: the hold is void either way.
        (State.RELEASING, TransactionRejected): Step(State.RELEASED),
        (State.RELEASING, DEADLINE_PASSED): Step(State.RELEASING, send=send_release),
        **ignored(State.RELEASING, *_CLOSED),
        # Held money is released with its whole group, by the funding saga.
        **ignored(State.HELD, TransactionPosted, TransactionRejected, DEADLINE_PASSED, *_CLOSED),
        **ignored(State.REJECTED, TransactionPosted, TransactionRejected, DEADLINE_PASSED, *_CLOSED),
        **ignored(State.RELEASED, TransactionPosted, TransactionRejected, DEADLINE_PASSED, *_CLOSED),
    },
)
