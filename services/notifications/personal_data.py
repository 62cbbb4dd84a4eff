"""What notifications has of a person: how it is exported and forgotten."""

from services.notifications.store.contacts import open_contact
from shared.privacy import PersonalData

_THEIRS = "(user_id = $1 OR recipient = (SELECT c.email FROM contacts c WHERE c.user_id = $1))"

PERSONAL_DATA = PersonalData(
    service="notifications",
    exported={
        "contact": "SELECT user_id, email, full_name, language FROM contacts WHERE user_id = $1",
        "feed": """SELECT id, type, title, body, data, created_at, read_at FROM notifications
            WHERE user_id = $1 ORDER BY id DESC""",
        "emails": f"""SELECT id, template, recipient, status, created_at, settled_at FROM emails
            WHERE {_THEIRS} ORDER BY id DESC""",  # noqa: S608
    },
    opened={"contact": open_contact},
    erased={
        "emails": f"DELETE FROM emails WHERE {_THEIRS} AND template <> 'account_erased'",  # noqa: S608
        "feed": "DELETE FROM notifications WHERE user_id = $1",
        "contact": "DELETE FROM contacts WHERE user_id = $1",
    },
    kept={"emails": "the last one, which says that the account is being erased, until it is sent"},
)
