"""The common part: a saga that waits for the ledger's answer to one transaction."""

from datetime import timedelta
from uuid import UUID

from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.sagas import SagaData

ANSWER_WITHIN = timedelta(minutes=1)
"""After this long without an answer the transaction is sent again; the ledger does it once."""

LedgerAnswer = TransactionPosted | TransactionRejected


class AwaitingLedger(SagaData):
    """`awaiting` is the transaction whose answer moves the saga on."""

    awaiting: UUID | None = None

    def is_answered_by(self, answer: LedgerAnswer) -> bool:
        """Whether `answer` is the one that the saga waits for."""
        return answer.transaction_id == self.awaiting
