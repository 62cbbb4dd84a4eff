"""Identity checks in the database. Who somebody is leaves the process only sealed."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.kyc import CLAIM_HELD, KycDetails, KycDocument, KycSubmission
from services.auth.providers.kyc.base import CheckEvent
from services.auth.store.kyc_tables import kyc_documents, kyc_events, kyc_submissions
from shared.crypto import Vault
from shared.ids import new_id


@dataclass(frozen=True)
class KycFilter:
    """Which submissions: everything that is given must hold. `claimed` by nobody at the moment, or by this reviewer."""

    status: str | None = None
    country: str | None = None
    document_type: str | None = None
    claimed_by: UUID | None = None
    unclaimed: bool = False

    def conditions(self, now: datetime) -> list[sa.ColumnElement[bool]]:
        """As SQL."""
        wanted = {name: getattr(self, name) for name in ("status", "country", "document_type", "claimed_by")}
        found: list[sa.ColumnElement[bool]] = [
            kyc_submissions.c[name] == value for name, value in wanted.items() if value is not None
        ]
        held = kyc_submissions.c.claimed_at > now - CLAIM_HELD
        if self.claimed_by is not None:
            found.append(held)
        if self.unclaimed:
            found.append(sa.func.coalesce(held, sa.false()).is_(sa.false()))
        return found


class KycSubmissions:
    """Reads and writes submissions on one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, submission: KycSubmission) -> None:
        """Insert a submission."""
        values = {**_plain_columns(submission), "details": self._seal(submission)}
        await self._connection.execute(kyc_submissions.insert().values(values))

    async def save(self, submission: KycSubmission) -> None:
        """Write a submission as it is now; the details stay."""
        await self._connection.execute(
            kyc_submissions.update().where(kyc_submissions.c.id == submission.id).values(_plain_columns(submission))
        )

    async def find(self, submission_id: UUID, *, lock: bool = False) -> KycSubmission | None:
        """The submission, locked until the end of the transaction if asked."""
        statement = sa.select(kyc_submissions).where(kyc_submissions.c.id == submission_id)
        return await self._one(statement.with_for_update() if lock else statement)

    async def latest_of(self, user_id: UUID) -> KycSubmission | None:
        """The last submission of a person."""
        statement = sa.select(kyc_submissions).where(kyc_submissions.c.user_id == user_id)
        return await self._one(statement.order_by(kyc_submissions.c.id.desc()).limit(1))

    async def statuses_of(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The status of each person's last submission; who never submitted is not in it."""
        statement = (
            sa.select(kyc_submissions.c.user_id, kyc_submissions.c.status)
            .ext(distinct_on(kyc_submissions.c.user_id))
            .where(kyc_submissions.c.user_id.in_(user_ids))
            .order_by(kyc_submissions.c.user_id, kyc_submissions.c.id.desc())
        )
        return {row.user_id: row.status for row in await self._connection.execute(statement)}

    async def page(
        self, wanted: KycFilter, *, now: datetime, after: UUID | None, count: int, oldest_first: bool = False
    ) -> Sequence[KycSubmission]:
        """Submissions, newest first unless said otherwise."""
        key = kyc_submissions.c.id
        statement = sa.select(kyc_submissions).where(*wanted.conditions(now)).limit(count)
        statement = statement.order_by(key if oldest_first else key.desc())
        if after is not None:
            statement = statement.where(key > after if oldest_first else key < after)
        return [self._submission(row) for row in await self._connection.execute(statement)]

    async def of_user(self, user_id: UUID) -> Sequence[KycSubmission]:
        """Every submission of a person, oldest first."""
        statement = sa.select(kyc_submissions).where(kyc_submissions.c.user_id == user_id).order_by(kyc_submissions.c.id)
        return [self._submission(row) for row in await self._connection.execute(statement)]

    async def checked_by_provider(self, provider: str, now: datetime, count: int) -> Sequence[KycSubmission]:
        """Submissions that wait for `provider` and are to be asked for now: new ones first."""
        due = sa.func.coalesce(kyc_submissions.c.next_check_at <= now, sa.true())
        statement = sa.select(kyc_submissions).where(
            kyc_submissions.c.status == "pending", kyc_submissions.c.provider == provider, due
        )
        order = (kyc_submissions.c.next_check_at.nulls_first(), kyc_submissions.c.id)
        rows = await self._connection.execute(statement.order_by(*order).limit(count))
        return [self._submission(row) for row in rows]

    async def add_event(self, provider: str, event: CheckEvent, now: datetime) -> bool:
        """Keep that a provider called; False when it was kept before."""
        values = {"id": new_id(), "provider": provider, "event_key": event.key, "type": event.type}
        statement = insert(kyc_events).values(values | {"reference": event.reference, "received_at": now})
        once = statement.on_conflict_do_nothing(constraint="kyc_events_provider_event_key_key").returning(kyc_events.c.id)
        return (await self._connection.execute(once)).first() is not None

    async def forget_events(self, before: datetime) -> int:
        """Delete events that came before; the number deleted."""
        return (await self._connection.execute(kyc_events.delete().where(kyc_events.c.received_at < before))).rowcount

    async def ending(self, until: date, count: int, *, reminded: bool) -> Sequence[KycSubmission]:
        """Approvals whose last day is before `until`, locked; those of the reminded too, if asked."""
        statement = sa.select(kyc_submissions).where(kyc_submissions.c.status == "approved", kyc_submissions.c.expires_on < until)
        if not reminded:
            statement = statement.where(kyc_submissions.c.reminded_at.is_(None))
        statement = statement.order_by(kyc_submissions.c.expires_on).limit(count).with_for_update(skip_locked=True)
        return [self._submission(row) for row in await self._connection.execute(statement)]

    async def add_document(self, submission_id: UUID, document: KycDocument) -> None:
        """Insert a document, whose file is stored."""
        await self._connection.execute(kyc_documents.insert().values(asdict(document) | {"submission_id": submission_id}))

    async def purge_on(self, submission_id: UUID, last_day: date) -> None:
        """Keep a submission of somebody who was forgotten until then."""
        await self._connection.execute(
            kyc_submissions.update().where(kyc_submissions.c.id == submission_id).values(purge_on=last_day)
        )

    async def due_for_purge(self, today: date, count: int) -> Mapping[UUID, Sequence[str]]:
        """Submissions whose last day has passed, with the keys of their files."""
        statement = sa.select(kyc_submissions.c.id).where(kyc_submissions.c.purge_on < today).limit(count)
        ids = (await self._connection.execute(statement)).scalars().all()
        return {found: [one.file_key(found) for one in await self.documents_of(found)] for found in ids}

    async def delete(self, submission_id: UUID) -> None:
        """Delete a submission and the names of its files."""
        await self._connection.execute(kyc_documents.delete().where(kyc_documents.c.submission_id == submission_id))
        await self._connection.execute(kyc_submissions.delete().where(kyc_submissions.c.id == submission_id))

    async def documents_of(self, submission_id: UUID) -> Sequence[KycDocument]:
        """What was handed in with a submission, in order."""
        statement = (
            sa.select(kyc_documents.c.id, kyc_documents.c.media_type, kyc_documents.c.size_bytes)
            .where(kyc_documents.c.submission_id == submission_id)
            .order_by(kyc_documents.c.id)
        )
        return [KycDocument(**row._mapping) for row in await self._connection.execute(statement)]

    async def document(self, submission_id: UUID, document_id: UUID) -> KycDocument | None:
        """A document of a submission."""
        return next((found for found in await self.documents_of(submission_id) if found.id == document_id), None)

    async def _one(self, statement: sa.Select[Any]) -> KycSubmission | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return self._submission(row) if row else None

    def _seal(self, submission: KycSubmission) -> bytes:
        details = asdict(submission.details) | {"date_of_birth": submission.details.date_of_birth.isoformat()}
        return self._vault.encrypt_text(json.dumps(details), aad=_details_place(submission.id))

    def _submission(self, row: sa.Row[Any]) -> KycSubmission:
        opened = json.loads(self._vault.decrypt_text(bytes(row.details), aad=_details_place(row.id)))
        details = KycDetails(**{**opened, "date_of_birth": date.fromisoformat(opened["date_of_birth"])})
        values = {name: value for name, value in row._mapping.items() if name != "purge_on"}
        return KycSubmission(**{**values, "details": details})


def _plain_columns(submission: KycSubmission) -> dict[str, Any]:
    return {name: value for name, value in asdict(submission).items() if name != "details"}


def _details_place(submission_id: UUID) -> str:
    return f"auth.kyc_submissions.details:{submission_id}"
