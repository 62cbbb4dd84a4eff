"""Which message goes to which use case."""

from services.auth.commands.append_action import append_action
from shared.contracts.auth.audit_events import ActionTaken
from shared.messaging.consumer import ConsumerTable

CONSUMERS: ConsumerTable = {
    ActionTaken: append_action,
}
