"""One write use case is one transaction: rows, outgoing messages and the inbox entry commit together or not at all."""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from shared.clock import Clock
from shared.db.database import Database
from shared.messaging import inbox
from shared.messaging.consumer import Delivery
from shared.messaging.outbox import Outbox


class UnitOfWork:
    """A transaction with its outbox. Services extend it with their stores.

    Used as `async with context.unit_of_work() as work:`; leaving the block commits, an exception rolls back and
    nothing is sent. With a `delivery`, entering records it in the inbox and raises `AlreadyHandled` when this
    service has handled that message before.
    """

    connection: AsyncConnection
    now: datetime

    def __init__(self, database: Database, clock: Clock, *, delivery: Delivery[Any] | None = None) -> None:
        self._database = database
        self._clock = clock
        self._delivery = delivery
        self._transaction: AsyncTransaction | None = None
        self.outbox = Outbox(source=database.schema)

    async def __aenter__(self) -> Self:
        self.connection = await self._database.engine.connect()
        try:
            self._transaction = await self.connection.begin()
            self.now = self._clock.now()
            if self._delivery is not None:
                await inbox.record(self.connection, self._database.schema, self._delivery.envelope.id)
            self.open_stores()
        except BaseException:
            await self.connection.close()
            raise
        return self

    def open_stores(self) -> None:
        """Make the service's stores on `self.connection`; called once the transaction is open."""

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._transaction is not None  # noqa: S101
        try:
            if error is None:
                await self.outbox.flush(self.connection)
                await self._transaction.commit()
            else:
                await self._transaction.rollback()
        finally:
            await self.connection.close()
