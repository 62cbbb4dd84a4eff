"""One write use case is one transaction: rows, outgoing messages and the inbox entry commit together or not at all."""

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from shared.clock import Clock
from shared.contracts.auth.audit_events import ActionTaken
from shared.crypto import Vault
from shared.db.database import Database
from shared.identity.principal import Principal
from shared.ids import new_id
from shared.messaging import inbox
from shared.messaging.consumer import Delivery
from shared.messaging.outbox import Outbox
from shared.telemetry import trace


class UnitOfWork:
    """A transaction with its outbox. Services extend it with their stores.

    Used as `async with context.unit_of_work() as work:`; leaving the block commits, an exception rolls back and
    nothing is sent. With a `delivery`, entering records it in the inbox and raises `AlreadyHandled` when this
    service has handled that message before.
    """

    connection: AsyncConnection
    now: datetime
    outbox: Outbox

    def __init__(self, database: Database, clock: Clock, *, delivery: Delivery[Any] | None = None) -> None:
        self._database = database
        self._clock = clock
        self._delivery = delivery
        self._transaction: AsyncTransaction | None = None

    @property
    def vault(self) -> Vault | None:
        """What seals fields of messages on their way. A service that sends such messages has one."""
        return None

    async def __aenter__(self) -> Self:
        self.connection = await self._database.engine.connect()
        try:
            self._transaction = await self.connection.begin()
            self.now = self._clock.now()
            self.outbox = Outbox(source=self._database.schema, vault=self.vault)
            if self._delivery is not None:
                await inbox.record(self.connection, self._database.schema, self._delivery.envelope.id)
            self.open_stores()
        except BaseException:
            await self.connection.close()
            raise
        return self

    def open_stores(self) -> None:
        """Make the service's stores on `self.connection`; called once the transaction is open."""

    async def before_commit(self) -> None:
        """What a service does last in each of its transactions, when everything else is written."""

    def publish_action(
        self,
        action: str,
        *,
        actor: Principal | UUID | None,
        subject_id: UUID | str | None,
        subject_kind: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell the audit log that `actor` (None: the platform itself) did `action`, such as `loan.approved`.

        For what an operator does and what concerns security. `subject_kind` is what it was done to, by default the first
        word of `action`. `before` and `after` are JSON and hold no secrets and no personal data: see `ActionTaken`.
        """
        self.outbox.publish(
            ActionTaken(
                id=new_id(),
                at=self.now,
                service=self._database.schema,
                action=action,
                actor_kind=actor.kind if isinstance(actor, Principal) else "user" if actor else "system",
                actor_id=actor.user_id if isinstance(actor, Principal) else actor,
                subject_kind=subject_kind or action.split(".")[0],
                subject_id=str(subject_id) if subject_id is not None else None,
                address=trace.client_address(),
                request_id=trace.request_id(),
                trace_id=trace.current().trace_id,
                before=dict(before) if before is not None else None,
                after=dict(after) if after is not None else None,
            ),
            aggregate_id=subject_id or action,
        )

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._transaction is not None  # noqa: S101
        try:
            if error is None:
                await self.outbox.flush(self.connection)
                await self.before_commit()
                await self._transaction.commit()
            else:
                await self._transaction.rollback()
        finally:
            await self.connection.close()
