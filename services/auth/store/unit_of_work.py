"""The transaction of one command, with auth's stores on it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.auth.domain.audit import AuditEntry
from services.auth.domain.origin import SYSTEM, Origin
from services.auth.store.api_clients import ApiClients
from services.auth.store.attempts import AttemptCounters
from services.auth.store.audit_log import AuditLog
from services.auth.store.factor_resets import FactorResets
from services.auth.store.identities import Identities, SignOnAttempts
from services.auth.store.kyc import KycSubmissions
from services.auth.store.links import Links
from services.auth.store.passkeys import Passkeys
from services.auth.store.privacy import PrivacyRequests
from services.auth.store.role_grants import RoleGrants
from services.auth.store.second_factors import SecondFactors
from services.auth.store.sent_codes import PendingLogins, SentCodes
from services.auth.store.sessions import Sessions
from services.auth.store.signing_keys import SigningKeys
from services.auth.store.users import Users
from shared.clock import Clock
from shared.contracts.auth.audit_events import ActorKind
from shared.crypto import Vault
from shared.db import Database, UnitOfWork
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.sagas import SagaStore
from shared.telemetry import trace


class AuthUnitOfWork(UnitOfWork):
    """`users`, `sessions`, `links`, `attempts`, `signing_keys`, `kyc` and the audit log in one transaction."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, *, delivery: Delivery[Any] | None = None) -> None:
        super().__init__(database, clock, delivery=delivery)
        self._vault = vault
        self._audited: list[AuditEntry] = []

    @property
    def vault(self) -> Vault:
        """What seals what this transaction sends."""
        return self._vault

    def open_stores(self) -> None:
        """Make the stores on the open connection."""
        self.users = Users(self.connection, self._vault)
        self.sessions = Sessions(self.connection, self._vault)
        self.links = Links(self.connection, self._vault)
        self.attempts = AttemptCounters(self.connection, self._vault)
        self.signing_keys = SigningKeys(self.connection, self._vault)
        self.identities = Identities(self.connection, self._vault)
        self.sign_on_attempts = SignOnAttempts(self.connection, self._vault)
        self.role_grants = RoleGrants(self.connection)
        self.api_clients = ApiClients(self.connection, self._vault)
        self.kyc = KycSubmissions(self.connection, self._vault)
        self.factor_resets = FactorResets(self.connection)
        self.second_factors = SecondFactors(self.connection, self._vault)
        self.sent_codes = SentCodes(self.connection, self._vault)
        self.pending_logins = PendingLogins(self.connection)
        self.passkeys = Passkeys(self.connection)
        self.privacy = PrivacyRequests(self.connection)
        self.sagas = SagaStore(self.connection)
        self._audit_log = AuditLog(self.connection)

    async def audit(
        self,
        action: str,
        *,
        origin: Origin,
        actor_id: UUID | None,
        subject_id: UUID | str | None,
        subject_kind: str | None = None,
        actor_kind: ActorKind | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Record in this transaction that `actor_id` did `action` to `subject_id`.

        `subject_kind` is by default the first word of `action`; an actor is a person, or the platform when `origin` is.
        `before` and `after` hold no secrets and no personal data: see `ActionTaken`.
        """
        self._audited.append(
            AuditEntry(
                id=new_id(),
                happened_at=self.now,
                service="auth",
                action=action,
                actor_kind=actor_kind or ("system" if origin == SYSTEM and actor_id is None else "user"),
                actor_id=actor_id,
                subject_kind=subject_kind or action.split(".")[0],
                subject_id=str(subject_id) if subject_id is not None else None,
                address=origin.address or None,
                request_id=trace.request_id(),
                trace_id=trace.current().trace_id,
                before=dict(before) if before is not None else None,
                after=dict(after) if after is not None else None,
            )
        )

    def audit_reported(self, entry: AuditEntry) -> None:
        """Record what another service reported."""
        self._audited.append(entry)

    async def before_commit(self) -> None:
        """Append to the audit log: last, because its end can be locked by one transaction at a time."""
        if self._audited:
            await self._audit_log.append(self._audited)
