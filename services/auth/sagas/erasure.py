"""Forgetting a person: first every service is asked whether something stands in the way, then every service does it.

Until the decision nothing is changed, so refusing costs nothing; after it there is no way back, so services are asked again
until each has reported. Auth itself is the first to forget, in the transaction of the decision.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.auth.privacy_messages import (
    AnswerErasure,
    ErasureBlocker,
    ErasureDecided,
    ErasureRequested,
    ReportErasure,
)
from shared.messaging.envelope import Event, Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, ignored

FORGETTING = ("wallet_ledger", "lending", "payments", "notifications")
"""Who must answer, besides auth itself."""


class ErasureState(StrEnum):
    """Where an erasure is."""

    CHECKING = "checking"
    ERASING = "erasing"
    ERASED = "erased"
    REFUSED = "refused"


class ServiceReport(SagaData):
    """What one service did."""

    erased: dict[str, int]
    kept: dict[str, str]


class Erasure(SagaData):
    """Whom it is about, who has answered what, and who has reported what."""

    erasure_id: UUID
    user_id: UUID
    answered: tuple[str, ...] = ()
    blockers: tuple[ErasureBlocker, ...] = ()
    decided_at: datetime | None = None
    reports: dict[str, ServiceReport] = Field(default_factory=dict)

    @property
    def all_answered(self) -> bool:
        """Whether every service said what it thinks."""
        return set(self.answered) >= set(FORGETTING)

    @property
    def all_reported(self) -> bool:
        """Whether every service did it."""
        return set(self.reports) >= set(FORGETTING)


class NothingStandsInTheWay(Event):
    """Every service has answered, and none objects. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.erasure.cleared"

    decided_at: datetime


class SomethingStandsInTheWay(Event):
    """Every service has answered, and one objects. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.erasure.refused"


class EverybodyForgot(Event):
    """Every service has reported. Auth tells itself; never sent."""

    type: ClassVar[str] = "auth.erasure.completed"


def ask(erasure: Erasure, cause: object) -> Sequence[Message]:
    """Ask every service whether something stands in the way."""
    return [ErasureRequested(erasure_id=erasure.erasure_id, user_id=erasure.user_id)]


def decide(erasure: Erasure, cause: object) -> Sequence[Message]:
    """Have every service forget the person. Who has done so finds nothing more, and its first report counts."""
    assert erasure.decided_at is not None  # noqa: S101 remembered with the decision
    return [ErasureDecided(erasure_id=erasure.erasure_id, user_id=erasure.user_id, decided_at=erasure.decided_at)]


def _note_answer(erasure: Erasure, answer: AnswerErasure) -> Erasure:
    if answer.service in erasure.answered:
        return erasure
    return erasure.model_copy(
        update={"answered": (*erasure.answered, answer.service), "blockers": (*erasure.blockers, *answer.blockers)}
    )


def _note_decision(erasure: Erasure, cleared: NothingStandsInTheWay) -> Erasure:
    return erasure.model_copy(update={"decided_at": cleared.decided_at})


def _note_report(erasure: Erasure, report: ReportErasure) -> Erasure:
    if report.service in erasure.reports:
        return erasure
    mine = ServiceReport(erased=report.erased, kept=report.kept)
    return erasure.model_copy(update={"reports": {**erasure.reports, report.service: mine}})


def _note_silence(erasure: Erasure, cause: object) -> Erasure:
    silent = sorted(set(FORGETTING) - set(erasure.answered))
    late = ErasureBlocker(code="not_answered", detail=f"{', '.join(silent)} did not answer in time. Try again in some minutes.")
    return erasure.model_copy(update={"blockers": (*erasure.blockers, late)})


_S = ErasureState
_ALL = (AnswerErasure, ReportErasure, NothingStandsInTheWay, SomethingStandsInTheWay, EverybodyForgot)

ERASURE = Definition(
    kind="erasure",
    data=Erasure,
    start=_S.CHECKING,
    final={_S.ERASED, _S.REFUSED},
    triggers={*_ALL, DEADLINE_PASSED},
    deadlines={_S.CHECKING: timedelta(minutes=1), _S.ERASING: timedelta(minutes=1)},
    table={
        (_S.CHECKING, AnswerErasure): Step(_S.CHECKING, remember=_note_answer),
        (_S.CHECKING, NothingStandsInTheWay): Step(_S.ERASING, send=decide, remember=_note_decision),
        (_S.CHECKING, SomethingStandsInTheWay): Step(_S.REFUSED),
        (_S.CHECKING, DEADLINE_PASSED): Step(_S.REFUSED, remember=_note_silence),
        **ignored(_S.CHECKING, ReportErasure, EverybodyForgot),  # nobody was asked to forget yet
        (_S.ERASING, ReportErasure): Step(_S.ERASING, remember=_note_report),
        (_S.ERASING, EverybodyForgot): Step(_S.ERASED),
        (_S.ERASING, DEADLINE_PASSED): Step(_S.ERASING, send=decide),
        **ignored(_S.ERASING, AnswerErasure, NothingStandsInTheWay, SomethingStandsInTheWay),  # late: it is decided
        **ignored(_S.ERASED, *_ALL, DEADLINE_PASSED),
        **ignored(_S.REFUSED, *_ALL, DEADLINE_PASSED),
    },
)
