"""What commands to send something hold, in the version that seals all of it and in the one before."""

from dataclasses import dataclass, field
from typing import Any

from shared.contracts.notifications.message_commands import SendEmail, SendEmailV1, SendSms, SendSmsV1
from shared.crypto import Undecryptable, Vault, open_data
from shared.problems import InvalidRequest


@dataclass(frozen=True)
class Asked:
    """An address or number, and what fills the template. Its representation says neither, for stacks and logs."""

    to: str = field(repr=False)
    data: dict[str, Any] = field(repr=False)


def unsealed(vault: Vault, command: SendEmail | SendEmailV1 | SendSms | SendSmsV1) -> Asked:
    """What a command is about. Raises `InvalidRequest` when what is sealed does not open here."""
    try:
        inside = open_data(vault, command.sealed, message_id=command.message_id) if command.sealed else {}
    except Undecryptable as error:
        raise InvalidRequest(str(error)) from error
    match command:
        case SendEmail() | SendSms():
            return Asked(inside.pop("to", ""), inside)
        case SendEmailV1():
            return Asked(command.to, command.data | inside)
        case SendSmsV1():
            return Asked(command.to, inside)
