"""What notifications keeps sealed, for `lendery keys rotate-pii`."""

from shared.crypto.rotation import SealedColumn

SEALED = (
    SealedColumn("contacts", "email", "notifications.contacts.email:{}", key="user_id", was_clear=True),
    SealedColumn("contacts", "full_name", "notifications.contacts.full_name:{}", key="user_id", was_clear=True),
    SealedColumn("emails", "recipient", "notifications.emails.recipient:{}", was_clear=True),
    SealedColumn("emails", "content", "notifications.emails.content:{}"),
    SealedColumn("texts", "content", "notifications.texts.content:{}"),
)
