"""Lending's transaction, with its stores."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.sagas.awaiting import AwaitingLedger, LedgerAnswer
from services.lending.store.assessments import AssessmentStore
from services.lending.store.business_days import BusinessDayStore
from services.lending.store.investments import InvestmentStore
from services.lending.store.loans import LoanStore
from services.lending.store.people import PeopleStore
from services.lending.store.repayments import RepaymentStore
from services.lending.store.wallet_uses import tell_uses
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database
from shared.db.unit_of_work import UnitOfWork as SharedUnitOfWork
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Message
from shared.sagas import DEADLINE_PASSED, Cause, Definition, Saga, SagaStore

D = TypeVar("D", bound=AwaitingLedger)


class Reading:
    """The stores on a connection that only reads."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self.connection = connection
        self.people = PeopleStore(connection)
        self.assessments = AssessmentStore(connection, vault)
        self.repayments = RepaymentStore(connection)
        self.business_days = BusinessDayStore(connection)


class UnitOfWork(SharedUnitOfWork):
    """A transaction to write in."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, *, delivery: Delivery[Any] | None = None) -> None:
        super().__init__(database, clock, delivery=delivery)
        self._vault = vault

    def open_stores(self) -> None:
        """Make the stores."""
        self.people = PeopleStore(self.connection)
        self.assessments = AssessmentStore(self.connection, self._vault)
        self.loans = LoanStore(self.connection, tell_uses(self.outbox))
        self.investments = InvestmentStore(self.connection, tell_uses(self.outbox))
        self.repayments = RepaymentStore(self.connection)
        self.business_days = BusinessDayStore(self.connection)
        self.sagas = SagaStore(self.connection)

    async def advance(self, definition: Definition[D], saga_id: UUID, cause: Cause, *, aggregate_id: UUID) -> Saga[D] | None:
        """Move a saga on and send what that asks for; the saga afterwards, or None when there is none of this id.

        An answer of the ledger that is not the awaited one changes nothing. Call it with the loan's lock held;
        `aggregate_id` is the loan, so that everything about one loan is sent in order.
        """
        saga = await self.sagas.load(definition, saga_id)
        if saga is None or (isinstance(cause, LedgerAnswer) and not saga.data.is_answered_by(cause)):
            return saga
        moved, messages = definition.advance(saga, cause, self.now)
        await self.sagas.save(moved)
        for message in messages:
            self.outbox.add(message, aggregate_id=aggregate_id)
        return moved

    async def pass_deadline(self, definition: Definition[D], saga_id: UUID, *, aggregate_id: UUID) -> None:
        """Move a saga on because its deadline has passed, if that is still so."""
        saga = await self.sagas.load(definition, saga_id)
        if saga is not None and saga.deadline_at is not None and saga.deadline_at <= self.now:
            await self.advance(definition, saga_id, DEADLINE_PASSED, aggregate_id=aggregate_id)

    async def begin(self, saga: Saga[Any], messages: Sequence[Message], *, aggregate_id: UUID) -> None:
        """Store a saga that begins, and send its first messages."""
        await self.sagas.add(saga)
        for message in messages:
            self.outbox.add(message, aggregate_id=aggregate_id)
