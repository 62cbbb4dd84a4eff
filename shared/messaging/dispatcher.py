"""The consumer's side, the same for every transport: decode, call the handler, try again, give up into a dead letter."""

import asyncio
import logging
import traceback
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from pydantic import ValidationError

from shared.ids import derived_id
from shared.messaging import correlation
from shared.messaging.consumer import ConsumerTable, Delivery
from shared.messaging.envelope import Command, Envelope, Message
from shared.messaging.failures import Retries, classify, describe
from shared.messaging.inbox import AlreadyHandled
from shared.messaging.registry import Undecodable, decode, registry_of, versions_of
from shared.messaging.turns import Turns
from shared.telemetry import metrics, trace

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """How a message ended. Each of them means that the transport may forget it."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    DEAD = "dead"


class Stopped(Exception):
    """The consumer is shutting down and has not handled the message: it must be delivered again later."""


class Graveyard(Protocol):
    """Where dead letters go: `shared.messaging.dead_letters.DeadLetters`."""

    async def store(self, message_id: UUID, body: bytes, envelope: Envelope | None, error: str, attempts: int) -> None:
        """Keep a message that could not be handled."""
        ...


class Dispatcher:
    """Gives the messages of one consumer to its handlers: in order within a partition key, at once across keys.

    `handlers_at_once` bounds the handlers that run; `timeout_seconds` bounds one attempt.
    """

    def __init__(
        self,
        consumer: str,
        table: ConsumerTable,
        context: object,
        graveyard: Graveyard,
        *,
        retries: Retries | None = None,
        handlers_at_once: int = 16,
        timeout_seconds: float = 120.0,
    ) -> None:
        self.consumer = consumer
        self.classes = frozenset(table)
        self._handlers = {
            (message.type, version): handler for message, handler in table.items() for version in versions_of(message)
        }
        self._registry = registry_of(table)
        self._context: Any = context
        self._graveyard = graveyard
        self._retries = retries or Retries()
        self._timeout_seconds = timeout_seconds
        self._turns = Turns()
        self.handlers_at_once = handlers_at_once
        self._running = asyncio.Semaphore(handlers_at_once)
        self._stopping = asyncio.Event()
        _check_addressed(consumer, table)

    def subscribes(self, type: str) -> bool:  # noqa: A002
        """Whether some version of this type is in the table."""
        return any(message.type == type for message in self.classes)

    def stop(self) -> None:
        """Let running attempts end, and nothing be tried again."""
        self._stopping.set()

    async def dispatch(self, body: bytes) -> Outcome:
        """Have a message handled, however many attempts that takes. Raises `Stopped` when that was cut short.

        A dead letter that cannot be stored is no dead letter: while the database is away the message is tried again.
        """
        try:
            envelope = Envelope.from_json(body)
        except ValidationError as error:
            return await self._bury_unreadable(body, f"not an envelope: {error.error_count()} faults")
        async with self._turns.take(envelope.partitionkey):
            with (
                trace.span(envelope.traceparent),
                correlation.caused_by(envelope.correlationid, str(envelope.id)),
            ):
                outcome = await self._try_until_done(body, envelope)
        self._count(envelope.type if self.subscribes(envelope.type) else "unknown", outcome.value)
        return outcome

    async def bury(self, body: bytes, error: str, attempts: int) -> None:
        """Store as dead what the transport gave up on. Raises what the database raises."""
        try:
            envelope: Envelope | None = Envelope.from_json(body)
        except ValidationError:
            envelope = None
        await self._graveyard.store(envelope.id if envelope else _id_of(body), body, envelope, error, attempts)

    async def _try_until_done(self, body: bytes, envelope: Envelope) -> Outcome:
        attempt = 0
        while not self._stopping.is_set():
            attempt += 1
            try:
                return await self._try(envelope, attempt)
            except Exception as error:
                if self._retries.exhausted(classify(error), attempt) and await self._give_up(body, envelope, error, attempt):
                    return Outcome.DEAD
                self._warn("message will be tried again", envelope, attempt, error)
            self._count(envelope.type, "retried")
            await self._pause(self._retries.delay_seconds(attempt))
        raise Stopped

    async def _try(self, envelope: Envelope, attempt: int) -> Outcome:
        message: Message = decode(envelope, self._registry, getattr(self._context, "vault", None))
        handler = self._handlers[envelope.type, envelope.dataversion]
        try:
            async with self._running, asyncio.timeout(self._timeout_seconds):
                await handler(self._context, Delivery(envelope, message, attempt))
        except AlreadyHandled:
            return Outcome.DUPLICATE
        return Outcome.HANDLED

    async def _give_up(self, body: bytes, envelope: Envelope, error: Exception, attempts: int) -> bool:
        try:
            await self._graveyard.store(envelope.id, body, envelope, describe(error), attempts)
        except Exception as trouble:
            self._warn("dead letter could not be stored", envelope, attempts, trouble)
            return False
        # The stack without the exception's text, in which a driver may quote a row.
        stack = "".join(traceback.format_tb(error.__traceback__)) if not isinstance(error, Undecodable) else ""
        _log.error("message became a dead letter", extra={**self._fields(envelope, attempts, error), "stack": stack})
        return True

    async def _bury_unreadable(self, body: bytes, error: str) -> Outcome:
        attempt = 0
        while not self._stopping.is_set():
            attempt += 1
            try:
                await self.bury(body, error, 1)
            except Exception:
                _log.warning("dead letter could not be stored", extra={"consumer": self.consumer})
                await self._pause(self._retries.delay_seconds(attempt))
            else:
                _log.error("message is not an envelope", extra={"consumer": self.consumer})
                self._count("unknown", Outcome.DEAD.value)
                return Outcome.DEAD
        raise Stopped

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _count(self, type: str, outcome: str) -> None:  # noqa: A002
        metrics.MESSAGES_HANDLED.labels(self.consumer, type, outcome).inc()

    def _warn(self, what: str, envelope: Envelope, attempt: int, error: Exception) -> None:
        _log.warning(what, extra=self._fields(envelope, attempt, error))

    def _fields(self, envelope: Envelope, attempt: int, error: Exception) -> dict[str, object]:
        return {
            "consumer": self.consumer,
            "message_type": envelope.type,
            "message_id": str(envelope.id),
            "attempt": attempt,
            "error": describe(error),
        }


def _id_of(body: bytes) -> UUID:
    """An id for something without one: the same bytes delivered again are the same dead letter."""
    return derived_id("unreadable", body.hex())


def _check_addressed(consumer: str, table: Iterable[type[Message]]) -> None:
    for message in table:
        if issubclass(message, Command) and message.type.split(".", 1)[0] != consumer:
            raise ValueError(f"{message.type} is not addressed to {consumer}")
