"""Fields of a message that only its consumers may read: sealed from the sender's outbox to the consumer's handler.

Outboxes, queues and dead letters hold them as one text, under the encryption key that all services have, and for this one
message: copied into another it does not open. Handlers and senders see the fields as any others.
"""

from typing import Any

from shared.crypto import Undecryptable, Vault, open_data, seal_data
from shared.messaging.envelope import Envelope, Message

NAME = "sealed"
"""Of the field on the wire."""


def seal(envelope: Envelope, message: Message, vault: Vault | None) -> Envelope:
    """The envelope of `message` as it may be written down. Raises `RuntimeError` when it needs a vault and there is none."""
    fields = message.sealed_fields
    if not fields:
        return envelope
    if vault is None:
        raise RuntimeError(f"{message.type} has sealed fields, and this unit of work has no vault")
    secret = {name: value for name, value in envelope.data.items() if name in fields and value is not None}
    clear = {name: value for name, value in envelope.data.items() if name not in fields}
    return envelope.model_copy(update={"data": {**clear, NAME: seal_data(vault, secret, message_id=envelope.id)}})


def payload_in(envelope: Envelope, message: type[Message], vault: Vault | None) -> dict[str, Any]:
    """What `message` is made from. Raises `Undecryptable`."""
    if not message.sealed_fields or envelope.dataversion in message.clear_versions:
        return envelope.data
    text = envelope.data.get(NAME)
    if vault is None or not isinstance(text, str):
        raise Undecryptable("there is nothing sealed in it" if vault is not None else "there is no key here to open it")
    return {**envelope.data, **open_data(vault, text, message_id=envelope.id)}
