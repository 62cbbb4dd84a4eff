"""The transaction of a write use case, with the stores of notifications."""

from typing import Any

from services.notifications.store.contacts import Contacts
from services.notifications.store.emails import Emails
from services.notifications.store.notifications import Notifications
from services.notifications.store.texts import Texts
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database, UnitOfWork
from shared.messaging.consumer import Delivery


class NotificationsUnitOfWork(UnitOfWork):
    """Contacts, the feed, e-mails and text messages, changed together or not at all."""

    contacts: Contacts
    notifications: Notifications
    emails: Emails
    texts: Texts

    def __init__(self, database: Database, clock: Clock, vault: Vault, *, delivery: Delivery[Any] | None = None) -> None:
        super().__init__(database, clock, delivery=delivery)
        self._vault = vault

    def open_stores(self) -> None:
        """Make the stores on the open transaction."""
        self.contacts = Contacts(self.connection, self._vault)
        self.notifications = Notifications(self.connection)
        self.emails = Emails(self.connection, self._vault)
        self.texts = Texts(self.connection, self._vault)
