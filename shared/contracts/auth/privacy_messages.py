"""A person asks for everything that we have of them, or to be forgotten: what auth asks of every service, and the answers."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.messaging.envelope import Command, Event


class ExportRequested(Event):
    """A person wants a copy of everything about them. Every service answers with `DeliverExportPart`, once."""

    type: ClassVar[str] = "auth.export.requested"

    export_id: UUID
    user_id: UUID


class DeliverExportPart(Command):
    """What one service has of the person: JSON files by name, compressed and sealed for this export."""

    type: ClassVar[str] = "auth.export.deliver_part"

    export_id: UUID
    service: str
    sealed: bytes


class ErasureRequested(Event):
    """A person wants to be forgotten. Every service answers with `AnswerErasure`: nothing is changed yet."""

    type: ClassVar[str] = "auth.erasure.requested"

    erasure_id: UUID
    user_id: UUID


class ErasureBlocker(BaseModel):
    """Why a person cannot be forgotten yet, and what they can do about it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    detail: str


class AnswerErasure(Command):
    """Whether one service has something in the way of forgetting the person; nothing means that it has not."""

    type: ClassVar[str] = "auth.erasure.answer"

    erasure_id: UUID
    service: str
    blockers: list[ErasureBlocker]


class ErasureDecided(Event):
    """A person is to be forgotten, for ever. Every service does it and answers with `ReportErasure`."""

    type: ClassVar[str] = "auth.erasure.decided"

    erasure_id: UUID
    user_id: UUID
    decided_at: datetime


class ReportErasure(Command):
    """What one service did: rows that it deleted or anonymised, by kind, and what it must keep, with the reason."""

    type: ClassVar[str] = "auth.erasure.report"

    erasure_id: UUID
    service: str
    erased: dict[str, int]
    kept: dict[str, str]
