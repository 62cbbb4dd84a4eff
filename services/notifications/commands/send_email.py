"""Send one e-mail that another service asked for: links that only their addressee may see."""

from uuid import UUID

from services.notifications.context import Context
from services.notifications.domain.letter import WORTH_SENDING, Content, Letter, is_address
from services.notifications.domain.texts import cleaned, name_text
from services.notifications.rendering import Unrenderable
from services.notifications.sealed_commands import Asked, unsealed
from shared.contracts.notifications.message_commands import SendEmail, SendEmailV1
from shared.messaging.consumer import Delivery
from shared.problems import InvalidRequest

_WITHOUT_LINK = "/"


async def send_email(context: Context, delivery: Delivery[SendEmail | SendEmailV1]) -> None:
    """Keep the e-mail to be sent, until the command's deadline at the latest; its words are dropped then.

    The template is given the command's data and `expires_at`. Raises `InvalidRequest`, which nothing can mend, when what is
    sealed does not open here, the address is none, the template does not exist or lacks a value.
    """
    command = delivery.message
    asked = unsealed(context.vault, command)
    if not is_address(asked.to):
        raise InvalidRequest("The recipient is not an e-mail address.")
    try:
        content = _content(context, command, asked)
    except Unrenderable as error:
        raise InvalidRequest(str(error)) from error
    async with context.unit_of_work(delivery) as work:
        give_up_at = command.expires_at or work.now + WORTH_SENDING
        letter = Letter(command.message_id, command.template, asked.to, content, work.now, give_up_at)
        await work.emails.add(letter, dedupe_key=f"command:{command.message_id}", user_id=_person(delivery), secret=True)


def _person(delivery: Delivery[SendEmail | SendEmailV1]) -> UUID | None:
    """Whose business it is: senders keep what they ask for one person in order."""
    try:
        return UUID(delivery.envelope.partitionkey)
    except ValueError:
        return None


def _content(context: Context, command: SendEmail | SendEmailV1, asked: Asked) -> Content:
    values = cleaned(asked.data) | {"expires_at": command.expires_at}
    return context.renderer.email(
        context.renderer.words(command.template, command.language, values),
        command.language,
        full_name=name_text(asked.data["full_name"]) if "full_name" in asked.data else None,
        link=asked.data.get("link", _WITHOUT_LINK),
    )
