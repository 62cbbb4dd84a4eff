"""From an open funding round to a borrower who has the money, or to lenders who have theirs back.

The saga's id is the loan's. Paying out is one ledger transaction: every lender's hold is posted, the borrower is
credited, and the fee and the reserve contribution are taken. Should the ledger refuse it, everything is released.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.lending.sagas.awaiting import ANSWER_WITHIN, AwaitingLedger
from services.lending.sagas.investment import holds_of
from shared.contracts.lending.loan_events import LoanCancelled, LoanFunded
from shared.contracts.wallet_ledger.transaction_commands import PostHoldGroup, PostTransaction, Transfer, VoidHoldGroup
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import derived_id
from shared.messaging.envelope import Message
from shared.sagas import DEADLINE_PASSED, Definition, Step, ignored

LONGEST_ROUND = timedelta(days=365)
"""The round's own deadline, which is the loan's, replaces this one when the saga begins."""


class State(StrEnum):
    """Where the money of the round is."""

    OPEN = "open"
    PAYING_OUT = "paying_out"
    PAID_OUT = "paid_out"
    RELEASING = "releasing"
    RELEASED = "released"


class FundingRound(AwaitingLedger):
    """Who gets how much once the loan is funded, all in minor units of `currency`."""

    loan_id: UUID
    borrower_wallet_id: UUID
    currency: str
    net_minor: int
    origination_fee_minor: int
    reserve_contribution_minor: int


def _disbursement(data: FundingRound) -> list[Transfer]:
    parts = (
        (f"wallet:{data.borrower_wallet_id}", data.net_minor, "loan.disbursement"),
        (f"fees:{data.currency}", data.origination_fee_minor, "loan.origination_fee"),
        (f"reserve:{data.currency}", data.reserve_contribution_minor, "loan.reserve_contribution"),
    )
    return [
        Transfer(
            id=derived_id("disbursement", data.loan_id, kind),
            debit_account=f"loan:{data.loan_id}:funding",
            credit_account=account,
            amount_minor=amount_minor,
            currency=data.currency,
            kind=kind,
        )
        for account, amount_minor, kind in parts
        if amount_minor
    ]


def send_disbursement(data: FundingRound, _: object) -> Sequence[Message]:
    """Post every hold and pay the borrower, at once."""
    return [
        PostTransaction(
            transaction_id=derived_id("disbursement", data.loan_id),
            idempotency_key=f"disbursement:{data.loan_id}",
            kind="loan.disbursement",
            reference=f"loan:{data.loan_id}",
            entries=[PostHoldGroup(group=holds_of(data.loan_id)), *_disbursement(data)],
        )
    ]


def await_disbursement(data: FundingRound, _: object) -> FundingRound:
    """From now on the answer to the disbursement counts."""
    return data.model_copy(update={"awaiting": derived_id("disbursement", data.loan_id)})


def send_release(data: FundingRound, _: object) -> Sequence[Message]:
    """Give every lender their money back, at once."""
    return [
        PostTransaction(
            transaction_id=derived_id("release", data.loan_id),
            idempotency_key=f"funding-release:{data.loan_id}",
            kind="loan.funding.release",
            reference=f"loan:{data.loan_id}",
            entries=[VoidHoldGroup(group=holds_of(data.loan_id))],
        )
    ]


def await_release(data: FundingRound, _: object) -> FundingRound:
    """From now on the answer to the release counts."""
    return data.model_copy(update={"awaiting": derived_id("release", data.loan_id)})


_RELEASE: Step[FundingRound] = Step(State.RELEASING, remember=await_release, send=send_release)
_ANSWERS = (TransactionPosted, TransactionRejected)

FUNDING: Definition[FundingRound] = Definition(
    kind="funding",
    data=FundingRound,
    start=State.OPEN,
    final={State.PAID_OUT, State.RELEASED},
    triggers={LoanFunded, LoanCancelled, *_ANSWERS, DEADLINE_PASSED},
    deadlines={State.OPEN: LONGEST_ROUND, State.PAYING_OUT: ANSWER_WITHIN, State.RELEASING: ANSWER_WITHIN},
    table={
        (State.OPEN, LoanFunded): Step(State.PAYING_OUT, remember=await_disbursement, send=send_disbursement),
        (State.OPEN, LoanCancelled): _RELEASE,
        (State.OPEN, DEADLINE_PASSED): _RELEASE,
        **ignored(State.OPEN, *_ANSWERS),
        (State.PAYING_OUT, TransactionPosted): Step(State.PAID_OUT),
        (State.PAYING_OUT, TransactionRejected): _RELEASE,
        (State.PAYING_OUT, DEADLINE_PASSED): Step(State.PAYING_OUT, send=send_disbursement),
        # A funded loan can no longer be cancelled.
        **ignored(State.PAYING_OUT, LoanFunded, LoanCancelled),
        (State.RELEASING, TransactionPosted): Step(State.RELEASED),
        # Voiding is refused only by a ledger that is frozen or broken: keep asking, and let an operator see it.
        (State.RELEASING, TransactionRejected): Step(State.RELEASING),
        (State.RELEASING, DEADLINE_PASSED): Step(State.RELEASING, send=send_release),
        **ignored(State.RELEASING, LoanFunded, LoanCancelled),
        **ignored(State.PAID_OUT, LoanFunded, LoanCancelled, *_ANSWERS, DEADLINE_PASSED),
        **ignored(State.RELEASED, LoanFunded, LoanCancelled, *_ANSWERS, DEADLINE_PASSED),
    },
)
