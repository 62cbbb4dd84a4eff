"""What can go wrong for a client of notifications."""

from shared.problems import NotFound


class NotificationNotFound(NotFound):
    """No such notification in the caller's feed."""

    code = "notification_not_found"
    title = "There is no such notification"
