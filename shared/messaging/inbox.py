"""Each message takes effect once: a handler's transaction records it first, and stops when it is there already."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_INSERT = "INSERT INTO inbox (consumer, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"


class AlreadyHandled(Exception):
    """This consumer has committed the effect of this message before."""

    def __init__(self, consumer: str, message_id: UUID) -> None:
        super().__init__(f"{consumer} has handled message {message_id} before")
        self.consumer = consumer
        self.message_id = message_id


async def record(connection: AsyncConnection, consumer: str, message_id: UUID) -> None:
    """Note in `connection`'s transaction that `consumer` handles the message. Raises `AlreadyHandled`.

    When another transaction is recording the same message right now, this waits for its end.
    """
    recorded = await connection.exec_driver_sql(_INSERT, (consumer, message_id))
    if recorded.first() is None:
        raise AlreadyHandled(consumer, message_id)
