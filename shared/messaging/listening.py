"""Events that every process wants to hear for itself, such as that a session has ended.

A consumer's queue gives each message to one process and keeps it until it was handled. A listener is the opposite: every
process that listens hears of every event, at most once, and what happens while it is away is lost. So it must be able to
read the present state elsewhere, and does so whenever `connected` tells that it begins to hear, or hears again.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pydantic import ValidationError

from shared.messaging.envelope import Envelope, Event
from shared.messaging.registry import Registry, Undecodable, decode, registry_of


@dataclass(frozen=True)
class Listener:
    """`hear` is called with each event of `classes`, in the event loop, and must not wait or raise."""

    classes: Collection[type[Event]]
    hear: Callable[[Event], None]
    connected: Callable[[], None] = lambda: None
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", registry_of(self.classes))

    def receive(self, body: bytes) -> None:
        """Hear what came in, if it can be read."""
        try:
            envelope = Envelope.from_json(body)
            if any(name == envelope.type for name, _ in self.registry):
                message = decode(envelope, self.registry)
                if isinstance(message, Event):
                    self.hear(message)
        except (ValidationError, Undecodable):
            return  # of another version than ours; the state that is read elsewhere has it, too
