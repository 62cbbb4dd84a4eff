"""What a handler is given, and the table that says which handler a message goes to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.messaging.envelope import Envelope, Message

M = TypeVar("M", bound=Message, covariant=True)


@dataclass(frozen=True)
class Delivery(Generic[M]):
    """One attempt to have a message handled; `attempt` counts from 1 in this process."""

    envelope: Envelope
    message: M
    attempt: int = 1


# Called with the service's context:
# `async def on_loan_approved(context: Context, delivery: Delivery[LoanApproved]) -> None`.
# It opens `context.unit_of_work(delivery)`, which records the message in the inbox, and does everything inside it.
Handler = Callable[[Any, Delivery[Any]], Awaitable[None]]

# A service's consumers.py: CONSUMERS: ConsumerTable = {LoanApproved: on_loan_approved, …}
ConsumerTable = Mapping[type[Message], Handler]
