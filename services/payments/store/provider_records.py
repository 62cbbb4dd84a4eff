"""What providers told us, asked and unasked. Only ever added to."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.base import Failure, ProviderEvent, StillPending, Success, Unknown
from services.payments.store.tables import provider_answers, provider_events
from shared.ids import new_id


class ProviderRecords:
    """Providers' events and answers on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_event(self, provider: str, event: ProviderEvent, now: datetime) -> bool:
        """Keep an event; false when it was kept before."""
        added = await self._connection.execute(
            insert(provider_events)
            .values(
                id=new_id(),
                provider=provider,
                event_key=event.key,
                type=event.type,
                reference=event.reference,
                body=dict(event.body),
                received_at=now,
            )
            .on_conflict_do_nothing(constraint="provider_events_key")
            .returning(provider_events.c.id)
        )
        return added.first() is not None

    async def add_answer(
        self, provider: str, operation: str, reference: str, answer: Success[object] | Failure | Unknown, now: datetime
    ) -> None:
        """Keep what a provider answered. That it has not decided yet is not worth a row each time it is asked."""
        if isinstance(answer, StillPending) and operation.endswith("sync"):
            return
        outcome = "unknown" if isinstance(answer, Unknown) else "failure" if isinstance(answer, Failure) else "success"
        reason = {} if isinstance(answer, Success) else {"reason": answer.reason}
        await self._connection.execute(
            provider_answers.insert().values(
                id=new_id(),
                provider=provider,
                operation=operation,
                reference=reference,
                outcome=outcome,
                detail={**reason, "answer": dict(answer.raw)},
                answered_at=now,
            )
        )
