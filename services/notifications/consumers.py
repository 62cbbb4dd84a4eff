"""Which message goes to which use case."""

from services.notifications.commands.announce_event import announce_event
from services.notifications.commands.send_email import send_email
from services.notifications.commands.send_sms import send_sms
from services.notifications.domain.announcements import ANNOUNCED_EVENTS
from services.notifications.personal_data import PERSONAL_DATA
from shared.contracts.auth.user_events import UserUpdated
from shared.contracts.notifications.message_commands import SendEmail, SendEmailV1, SendSms, SendSmsV1
from shared.messaging.consumer import ConsumerTable
from shared.privacy import privacy_consumers

# UserUpdated is told to nobody: it only changes where people are reached.
CONSUMERS: ConsumerTable = {
    **dict.fromkeys(sorted(ANNOUNCED_EVENTS | {UserUpdated}, key=lambda event: event.type), announce_event),
    SendEmail: send_email,
    SendEmailV1: send_email,
    SendSms: send_sms,
    SendSmsV1: send_sms,
    **privacy_consumers(PERSONAL_DATA),
}
