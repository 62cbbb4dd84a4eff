"""Sagas: what spans services, as a table of states. Pure but for `store`.

A saga lives with the service that owns the goal. Its *definition* is data: for every pair of a state and a trigger (a
message that comes back, or `deadline_passed`) either a `Step` (the next state, and what to send) or `IGNORED`. Late and
duplicate messages are pairs like any other, so nothing is left to chance; `check_total(definition) == []` is every
definition's test.

A worked example, services/payments/sagas/deposit.py in miniature::

    class State(StrEnum):
        WAITING_FOR_PAYER = "waiting_for_payer"
        CREDITING = "crediting"
        CREDITED = "credited"
        FAILED = "failed"

    class Deposit(SagaData):                        # what the saga must remember; kept as JSON
        wallet_id: UUID
        amount_minor: int
        currency: str
        transaction_id: UUID

    def credit(deposit: Deposit, paid: ProviderPaid) -> Sequence[Message]:
        return [PostTransaction(transaction_id=deposit.transaction_id, …)]

    DEPOSIT = Definition(
        kind="deposit",
        data=Deposit,
        start=State.WAITING_FOR_PAYER,
        final={State.CREDITED, State.FAILED},
        triggers={ProviderPaid, TransactionPosted, TransactionRejected, DEADLINE_PASSED},
        deadlines={State.WAITING_FOR_PAYER: timedelta(hours=1), State.CREDITING: timedelta(minutes=5)},
        table={
            (State.WAITING_FOR_PAYER, ProviderPaid): Step(State.CREDITING, send=credit),
            (State.WAITING_FOR_PAYER, DEADLINE_PASSED): Step(State.FAILED, send=tell_payer),
            **ignored(State.WAITING_FOR_PAYER, TransactionPosted, TransactionRejected),    # nothing was sent yet
            (State.CREDITING, TransactionPosted): Step(State.CREDITED),
            (State.CREDITING, TransactionRejected): Step(State.FAILED, send=refund),       # compensation
            (State.CREDITING, DEADLINE_PASSED): Step(State.CREDITING, send=credit_again),  # the ledger is idempotent
            **ignored(State.CREDITING, ProviderPaid),                                      # the provider tells us twice
            **ignored(State.CREDITED, ProviderPaid, TransactionPosted, TransactionRejected, DEADLINE_PASSED),
            (State.FAILED, ProviderPaid): Step(State.CREDITING, send=credit),              # paid after the deadline
            **ignored(State.FAILED, TransactionPosted, TransactionRejected, DEADLINE_PASSED),
        },
    )

and its use in commands, inside one unit of work (`work.sagas = SagaStore(work.connection)`)::

    saga = DEPOSIT.begin(deposit_id, Deposit(…), now)
    await work.sagas.add(saga)                                     # with the deposit itself

    async with context.unit_of_work(delivery) as work:             # commands/settle_deposit.py, on TransactionPosted
        saga = await work.sagas.load(DEPOSIT, deposit_id)          # locks the row
        saga, messages = DEPOSIT.advance(saga, delivery.message, work.now)
        await work.sagas.save(saga)
        for message in messages:
            work.outbox.add(message, aggregate_id=deposit_id)

    async with context.unit_of_work() as work:                     # jobs.py, every few seconds
        for saga in await work.sagas.due(DEPOSIT, work.now, limit=100):
            saga, messages = DEPOSIT.advance(saga, DEADLINE_PASSED, work.now)
            …as above
"""

from shared.sagas.definition import (
    DEADLINE_PASSED,
    IGNORED,
    Cause,
    Definition,
    Saga,
    SagaData,
    Step,
    check_total,
    ignored,
)
from shared.sagas.store import SagaStore

__all__ = [
    "DEADLINE_PASSED",
    "IGNORED",
    "Cause",
    "Definition",
    "Saga",
    "SagaData",
    "SagaStore",
    "Step",
    "check_total",
    "ignored",
]
