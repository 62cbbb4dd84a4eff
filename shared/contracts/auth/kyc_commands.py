"""What auth asks of itself about identity checks, to be done soon, outside the transaction that found it necessary."""

from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Command


class CheckIdentity(Command):
    """Ask the company that checks somebody's identity what has become of it."""

    type: ClassVar[str] = "auth.kyc.check"

    kyc_id: UUID
