"""Send one text message that another service asked for: codes that only their addressee may see."""

from services.notifications.context import Context
from services.notifications.domain.text_message import LONGEST_TEXT, TextMessage, is_number
from services.notifications.domain.texts import cleaned
from services.notifications.rendering import Unrenderable
from shared.contracts.notifications.message_commands import SendSms
from shared.crypto import Undecryptable, open_data
from shared.messaging.consumer import Delivery
from shared.problems import InvalidRequest


async def send_sms(context: Context, delivery: Delivery[SendSms]) -> None:
    """Keep the message to be sent, until the command's deadline at the latest; its words are dropped then.

    Raises `InvalidRequest`, which nothing can mend, when the number is none, what is sealed does not open here, or the
    template does not exist or lacks a value.
    """
    asked = delivery.message
    if not is_number(asked.to):
        raise InvalidRequest("The recipient is not an international number.")
    words = _words(context, asked)
    async with context.unit_of_work(delivery) as work:
        message = TextMessage(asked.message_id, asked.template, asked.to, words, work.now, asked.expires_at)
        await work.texts.add(message)


def _words(context: Context, asked: SendSms) -> str:
    try:
        data = open_data(context.vault, asked.sealed, message_id=asked.message_id) if asked.sealed else {}
        values = cleaned(dict(data)) | {"expires_at": asked.expires_at}
        words = context.renderer.words(asked.template, asked.language, values).summary
    except (Unrenderable, Undecryptable) as error:
        raise InvalidRequest(str(error)) from error
    if len(words) > LONGEST_TEXT:
        raise InvalidRequest(f"{asked.template} is longer than {LONGEST_TEXT} characters.")
    return words
