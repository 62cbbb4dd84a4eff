"""The transaction of one command, with auth's stores on it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.auth.domain.audit import AuditEntry
from services.auth.domain.origin import Origin
from services.auth.store.attempts import AttemptCounters
from services.auth.store.audit_log import AuditLog
from services.auth.store.kyc import KycSubmissions
from services.auth.store.links import Links
from services.auth.store.sessions import Sessions
from services.auth.store.signing_keys import SigningKeys
from services.auth.store.users import Users
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database, UnitOfWork
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.telemetry import trace


class AuthUnitOfWork(UnitOfWork):
    """`users`, `sessions`, `links`, `attempts`, `signing_keys`, `kyc` and the audit log in one transaction."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, *, delivery: Delivery[Any] | None = None) -> None:
        super().__init__(database, clock, delivery=delivery)
        self._vault = vault

    def open_stores(self) -> None:
        """Make the stores on the open connection."""
        self.users = Users(self.connection)
        self.sessions = Sessions(self.connection)
        self.links = Links(self.connection)
        self.attempts = AttemptCounters(self.connection)
        self.signing_keys = SigningKeys(self.connection, self._vault)
        self.kyc = KycSubmissions(self.connection, self._vault)
        self._audit_log = AuditLog(self.connection)

    async def audit(
        self,
        action: str,
        *,
        origin: Origin,
        actor_id: UUID | None,
        subject_id: UUID | None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Record in this transaction that `actor_id` did `action` to `subject_id`."""
        entry = AuditEntry(
            id=new_id(),
            happened_at=self.now,
            service="auth",
            action=action,
            actor_id=actor_id,
            subject_id=subject_id,
            address=origin.address or None,
            request_id=trace.request_id(),
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
        )
        await self._audit_log.add(entry)
