"""The wire format: a message's payload class, and the CloudEvents 1.0 envelope it travels in.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, in the structured JSON format. Extensions:
`partitionkey` (the aggregate; order is kept within it), `dataversion`, `kind`, `correlationid`, `causationid` and
`traceparent`.
"""

import re
from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, PositiveInt

Kind = Literal["event", "command"]

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2}")


class Message(BaseModel):
    """The payload of a message. Extend `Event` or `Command`, never this.

    Fields are primitives. Within a version only optional fields are added; readers ignore what they do not know.
    A class without `type` is a base for fields that several messages share.

    `sealed_fields`, texts, travel as one sealed text, `sealed`: what is nobody's business on the way (`sealing`).
    `clear_versions` are the versions before that, with the same fields in clear: still read, no longer sent.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")

    type: ClassVar[str]
    version: ClassVar[int] = 1
    sealed_fields: ClassVar[frozenset[str]] = frozenset()
    clear_versions: ClassVar[tuple[int, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        name = getattr(cls, "type", None)
        if name is not None and not _TYPE.fullmatch(name):
            raise TypeError(f"{cls.__name__}.type must look like service.thing.verb, not {name!r}")


class Event(Message):
    """Something that happened: `type` is `owner.thing.past_tense`. Whoever is interested subscribes."""


class Command(Message):
    """Something asked of one service: `type` is `addressee.thing.imperative`. Exactly one service consumes it."""


class Envelope(BaseModel):
    """A message on its way: CloudEvents 1.0 attributes and our extensions, with the payload as plain JSON in `data`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataversion: PositiveInt
    kind: Kind
    partitionkey: str
    correlationid: str
    causationid: str | None = None
    traceparent: str | None = None
    data: dict[str, Any]

    @classmethod
    def of(
        cls,
        message: Message,
        *,
        id: UUID,  # noqa: A002 the attribute's name in the standard
        source: str,
        time: datetime,
        aggregate_id: UUID | str,
        correlation_id: str,
        subject: str | None = None,
        causation_id: str | None = None,
        traceparent: str | None = None,
    ) -> Self:
        """Wrap `message`. `source` is the sending service; `subject` defaults to the aggregate's id."""
        return cls(
            id=id,
            source=source,
            type=message.type,
            subject=subject or str(aggregate_id),
            time=time,
            dataversion=message.version,
            kind="command" if isinstance(message, Command) else "event",
            partitionkey=str(aggregate_id),
            correlationid=correlation_id,
            causationid=causation_id,
            traceparent=traceparent,
            data=message.model_dump(mode="json"),
        )

    def to_json(self) -> bytes:
        """The envelope as UTF-8 JSON; attributes that are absent are left out, as CloudEvents wants."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_json(cls, body: bytes | str) -> Self:
        """Read an envelope. Raises `pydantic.ValidationError` when `body` is not one."""
        return cls.model_validate_json(body)
