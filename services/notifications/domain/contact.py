"""Where a person can be reached, and what auth's events change about it."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared.contracts.auth.user_events import EmailVerified, UserRegistered, UserUpdated
from shared.messaging.envelope import Message


@dataclass(frozen=True)
class Contact:
    """One person. `language` is a BCP 47 tag such as `en`."""

    user_id: UUID
    email: str
    full_name: str
    language: str

    @property
    def gone(self) -> bool:
        """Whether the person was forgotten: what auth puts in place of an address reaches nobody."""
        return self.email.endswith("@erased.invalid")


def person_of(message: Message) -> UUID | None:
    """The person whose contact the message tells something about, if it does."""
    return message.user_id if isinstance(message, UserRegistered | UserUpdated | EmailVerified) else None


def contact_after(message: Message, known: Contact | None) -> Contact | None:
    """The contact as it is after `message`; None when that needs a contact and none is known yet."""
    if isinstance(message, UserRegistered | UserUpdated):
        return Contact(message.user_id, message.email, message.full_name, message.language)
    if isinstance(message, EmailVerified) and known is not None:
        return replace(known, email=message.email)
    return known
