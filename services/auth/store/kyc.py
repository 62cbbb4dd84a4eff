"""Identity checks in the database. Who somebody is leaves the process only sealed."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.kyc import KycDetails, KycDocument, KycSubmission
from services.auth.store.tables import kyc_documents, kyc_submissions
from shared.crypto import Vault


class KycSubmissions:
    """Reads and writes submissions on one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, submission: KycSubmission) -> None:
        """Insert a submission."""
        values = {**_plain_columns(submission), "details": self._seal(submission)}
        await self._connection.execute(kyc_submissions.insert().values(values))

    async def save_decision(self, submission: KycSubmission) -> None:
        """Write what a reviewer decided."""
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

    async def page(self, *, status: str | None, after: UUID | None, count: int) -> Sequence[KycSubmission]:
        """Submissions, newest first."""
        statement = sa.select(kyc_submissions).order_by(kyc_submissions.c.id.desc()).limit(count)
        if status is not None:
            statement = statement.where(kyc_submissions.c.status == status)
        if after is not None:
            statement = statement.where(kyc_submissions.c.id < after)
        return [self._submission(row) for row in await self._connection.execute(statement)]

    async def add_document(self, submission_id: UUID, document: KycDocument, content: bytes) -> None:
        """Insert a document; `content` is sealed here."""
        sealed = self._vault.encrypt(content, aad=_document_place(document.id))
        await self._connection.execute(
            kyc_documents.insert().values(asdict(document) | {"submission_id": submission_id, "content": sealed})
        )

    async def documents_of(self, submission_id: UUID) -> Sequence[KycDocument]:
        """What was handed in with a submission, in order."""
        statement = (
            sa.select(kyc_documents.c.id, kyc_documents.c.media_type, kyc_documents.c.size_bytes)
            .where(kyc_documents.c.submission_id == submission_id)
            .order_by(kyc_documents.c.id)
        )
        return [KycDocument(**row._mapping) for row in await self._connection.execute(statement)]

    async def document_content(self, submission_id: UUID, document_id: UUID) -> tuple[str, bytes] | None:
        """The media type and the opened content of a document."""
        statement = sa.select(kyc_documents.c.media_type, kyc_documents.c.content).where(
            kyc_documents.c.id == document_id, kyc_documents.c.submission_id == submission_id
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return (row.media_type, self._vault.decrypt(bytes(row.content), aad=_document_place(document_id))) if row else None

    async def _one(self, statement: sa.Select[Any]) -> KycSubmission | None:
        row = (await self._connection.execute(statement)).one_or_none()
        return self._submission(row) if row else None

    def _seal(self, submission: KycSubmission) -> bytes:
        details = asdict(submission.details) | {"date_of_birth": submission.details.date_of_birth.isoformat()}
        return self._vault.encrypt_text(json.dumps(details), aad=_details_place(submission.id))

    def _submission(self, row: sa.Row[Any]) -> KycSubmission:
        opened = json.loads(self._vault.decrypt_text(bytes(row.details), aad=_details_place(row.id)))
        details = KycDetails(**{**opened, "date_of_birth": date.fromisoformat(opened["date_of_birth"])})
        return KycSubmission(**{**row._mapping, "details": details})


def _plain_columns(submission: KycSubmission) -> dict[str, Any]:
    return {name: value for name, value in asdict(submission).items() if name != "details"}


def _details_place(submission_id: UUID) -> str:
    return f"auth.kyc_submissions.details:{submission_id}"


def _document_place(document_id: UUID) -> str:
    return f"auth.kyc_documents.content:{document_id}"
