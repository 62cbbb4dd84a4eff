"""What notifications has of a person: how it is exported and forgotten."""

from services.notifications.store.contacts import open_contact
from services.notifications.store.emails import open_email
from shared.privacy import PersonalData

PERSONAL_DATA = PersonalData(
    service="notifications",
    exported={
        "contact": "SELECT user_id, email, full_name, language FROM contacts WHERE user_id = $1",
        "feed": """SELECT id, type, title, body, data, created_at, read_at FROM notifications
            WHERE user_id = $1 ORDER BY id DESC""",
        "emails": """SELECT id, template, recipient, status, created_at, settled_at FROM emails
            WHERE user_id = $1 ORDER BY id DESC""",
    },
    opened={"contact": open_contact, "emails": open_email},
    erased={
        "emails": "DELETE FROM emails WHERE user_id = $1 AND template <> 'account_erased'",
        "feed": "DELETE FROM notifications WHERE user_id = $1",
        "contact": "DELETE FROM contacts WHERE user_id = $1",
    },
    kept={"emails": "the last one, which tells of the erasure: its words until it is sent, its address, sealed, for a month"},
)
