"""What somebody did that an auditor may ask about: one shape for every service, kept by auth for ever."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.messaging.envelope import Event

ActorKind = Literal["user", "client", "system"]


class ActionTaken(Event):
    """A security or operator action was taken. Sent by the service in which it happened, in the transaction that did it.

    `before` and `after` hold what changed, as an auditor needs it: states, amounts, rates, roles, codes, ids and an
    operator's own reason. Never a password, token, code or key; never a name, e-mail address, phone number, account
    number, document or date of birth of anybody: a person is an id here, because these rows outlive a person's erasure.
    """

    type: ClassVar[str] = "auth.action.taken"

    id: UUID
    at: datetime
    service: str = Field(description="In which it happened")
    action: str = Field(
        description="thing.verb_in_the_past, such as loan.approved", pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
    )
    actor_kind: ActorKind = Field(description="A person, a partner's API client, or the platform itself")
    actor_id: UUID | None = Field(None, description="Null for the platform, and for somebody who is not known")
    subject_kind: str = Field(description="What it was done to, such as loan")
    subject_id: str | None = None
    address: str | None = Field(None, description="The network address of the client")
    request_id: str | None = None
    trace_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
