"""A copy of everything about a person: every service is asked, and their parts become one archive.

A service that does not answer is asked again; after five rounds the export has failed, and the person may ask anew.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.auth.privacy_messages import DeliverExportPart, ExportRequested
from shared.messaging.envelope import Event, Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, ignored

EXPORTING = ("auth", "wallet_ledger", "lending", "payments", "notifications")
"""Who must answer."""
ROUNDS = 5


class ExportState(StrEnum):
    """Where an export is."""

    COLLECTING = "collecting"
    ASSEMBLING = "assembling"
    READY = "ready"
    FAILED = "failed"


class Export(SagaData):
    """Whose it is, and who has answered."""

    export_id: UUID
    user_id: UUID
    answered: tuple[str, ...] = ()
    rounds: int = 1

    @property
    def complete(self) -> bool:
        """Whether everybody has answered."""
        return set(self.answered) >= set(EXPORTING)


class EveryPartIsThere(Event):
    """The last part arrived. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.export.every_part_is_there"


class ArchiveStored(Event):
    """The archive is made. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.export.archive_stored"


class NobodyAnswers(Event):
    """Every round is over. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.export.nobody_answers"


def ask(export: Export, cause: object) -> Sequence[Message]:
    """Ask every service; those that have answered answer again, which changes nothing."""
    return [ExportRequested(export_id=export.export_id, user_id=export.user_id)]


def _note(export: Export, part: DeliverExportPart) -> Export:
    return export.model_copy(update={"answered": tuple(sorted({*export.answered, part.service}))})


def _another_round(export: Export, cause: object) -> Export:
    return export.model_copy(update={"rounds": export.rounds + 1})


_S = ExportState
_ALL = (DeliverExportPart, EveryPartIsThere, ArchiveStored, NobodyAnswers)

EXPORT = Definition(
    kind="export",
    data=Export,
    start=_S.COLLECTING,
    final={_S.READY, _S.FAILED},
    triggers={*_ALL, DEADLINE_PASSED},
    deadlines={_S.COLLECTING: timedelta(minutes=1), _S.ASSEMBLING: timedelta(seconds=30)},
    table={
        (_S.COLLECTING, DeliverExportPart): Step(_S.COLLECTING, remember=_note),
        (_S.COLLECTING, EveryPartIsThere): Step(_S.ASSEMBLING),
        (_S.COLLECTING, DEADLINE_PASSED): Step(_S.COLLECTING, send=ask, remember=_another_round),
        (_S.COLLECTING, NobodyAnswers): Step(_S.FAILED),
        **ignored(_S.COLLECTING, ArchiveStored),
        (_S.ASSEMBLING, ArchiveStored): Step(_S.READY),
        (_S.ASSEMBLING, DEADLINE_PASSED): Step(_S.ASSEMBLING, remember=_another_round),  # the sweep assembles again
        (_S.ASSEMBLING, NobodyAnswers): Step(_S.FAILED),
        **ignored(_S.ASSEMBLING, DeliverExportPart, EveryPartIsThere),
        **ignored(_S.READY, *_ALL, DEADLINE_PASSED),
        **ignored(_S.FAILED, *_ALL, DEADLINE_PASSED),
    },
)
