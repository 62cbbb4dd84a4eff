"""Send one text message that another service asked for: codes that only their addressee may see."""

from services.notifications.context import Context
from services.notifications.domain.text_message import LONGEST_TEXT, TextMessage, is_number
from services.notifications.domain.texts import cleaned
from services.notifications.rendering import Unrenderable
from services.notifications.sealed_commands import Asked, unsealed
from shared.contracts.notifications.message_commands import SendSms, SendSmsV1
from shared.messaging.consumer import Delivery
from shared.problems import InvalidRequest


async def send_sms(context: Context, delivery: Delivery[SendSms | SendSmsV1]) -> None:
    """Keep the message to be sent, until the command's deadline at the latest; its words are dropped then.

    Raises `InvalidRequest`, which nothing can mend, when what is sealed does not open here, the number is none, or the
    template does not exist or lacks a value.
    """
    command = delivery.message
    asked = unsealed(context.vault, command)
    if not is_number(asked.to):
        raise InvalidRequest("The recipient is not an international number.")
    words = _words(context, command, asked)
    async with context.unit_of_work(delivery) as work:
        message = TextMessage(command.message_id, command.template, asked.to, words, work.now, command.expires_at)
        await work.texts.add(message)


def _words(context: Context, command: SendSms | SendSmsV1, asked: Asked) -> str:
    values = cleaned(asked.data) | {"expires_at": command.expires_at}
    try:
        words = context.renderer.words(command.template, command.language, values).summary
    except Unrenderable as error:
        raise InvalidRequest(str(error)) from error
    if len(words) > LONGEST_TEXT:
        raise InvalidRequest(f"{command.template} is longer than {LONGEST_TEXT} characters.")
    return words
