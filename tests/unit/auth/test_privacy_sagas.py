"""Exports and erasures: every pair of state and message, late and repeated ones included."""

from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest

from services.auth.sagas import erasure as erasures
from services.auth.sagas import export as exports
from services.auth.sagas.erasure import ERASURE, Erasure, ErasureState
from services.auth.sagas.export import EXPORT, Export, ExportState
from shared.contracts.auth.privacy_messages import (
    AnswerErasure,
    DeliverExportPart,
    ErasureBlocker,
    ErasureDecided,
    ExportRequested,
    ReportErasure,
)
from shared.sagas import DEADLINE_PASSED, check_total

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID, USER = UUID(int=1), UUID(int=2)


def test_every_pair_of_state_and_message_is_defined() -> None:
    assert check_total(EXPORT) == []
    assert check_total(ERASURE) == []


@pytest.mark.parametrize("order", list(permutations(exports.EXPORTING))[::17])
def test_an_export_is_complete_when_everybody_answered_in_whatever_order(order: tuple[str, ...]) -> None:
    saga = EXPORT.begin(ID, Export(export_id=ID, user_id=USER), NOW)
    for service in order:
        assert not saga.data.complete
        for _ in range(2):
            saga, sent = EXPORT.advance(saga, DeliverExportPart(export_id=ID, service=service, sealed=b""), NOW)
            assert not sent
    assert saga.data.complete
    saga, _ = EXPORT.advance(saga, exports.EveryPartIsThere(), NOW)
    saga, _ = EXPORT.advance(saga, exports.ArchiveStored(), NOW)
    assert saga.state is ExportState.READY
    assert saga.deadline_at is None


def test_an_export_asks_again_who_is_silent() -> None:
    saga = EXPORT.begin(ID, Export(export_id=ID, user_id=USER), NOW)
    saga, sent = EXPORT.advance(saga, DEADLINE_PASSED, NOW)
    assert (saga.state, saga.data.rounds) == (ExportState.COLLECTING, 2)
    assert sent == [ExportRequested(export_id=ID, user_id=USER)]


def answer(service: str, *codes: str) -> AnswerErasure:
    blockers = [ErasureBlocker(code=code, detail="…") for code in codes]
    return AnswerErasure(erasure_id=ID, service=service, blockers=blockers)


def test_nothing_is_erased_before_everybody_agreed() -> None:
    saga = ERASURE.begin(ID, Erasure(erasure_id=ID, user_id=USER), NOW)
    for service in erasures.FORGETTING:
        assert not saga.data.all_answered
        for _ in range(2):
            saga, sent = ERASURE.advance(saga, answer(service), NOW)
            assert not sent
    assert saga.data.all_answered
    saga, sent = ERASURE.advance(saga, erasures.NothingStandsInTheWay(decided_at=NOW), NOW)
    assert sent == [ErasureDecided(erasure_id=ID, user_id=USER, decided_at=NOW)]
    saga, sent = ERASURE.advance(saga, answer("lending", "loan_open"), NOW)
    assert (saga.state, sent, saga.data.blockers) == (ErasureState.ERASING, (), ())


def test_an_objection_refuses_and_is_kept_once() -> None:
    saga = ERASURE.begin(ID, Erasure(erasure_id=ID, user_id=USER), NOW)
    for _ in range(2):
        saga, _ = ERASURE.advance(saga, answer("lending", "loan_open"), NOW)
    saga, sent = ERASURE.advance(saga, erasures.SomethingStandsInTheWay(), NOW)
    assert (saga.state, sent, [one.code for one in saga.data.blockers]) == (ErasureState.REFUSED, (), ["loan_open"])


def test_silence_refuses_and_says_whose() -> None:
    saga = ERASURE.begin(ID, Erasure(erasure_id=ID, user_id=USER), NOW)
    saga, _ = ERASURE.advance(saga, answer("lending"), NOW)
    saga, sent = ERASURE.advance(saga, DEADLINE_PASSED, NOW)
    (blocker,) = saga.data.blockers
    assert (saga.state, sent, blocker.code) == (ErasureState.REFUSED, (), "not_answered")
    assert "payments" in blocker.detail
    assert "lending" not in blocker.detail


def test_who_does_not_report_is_asked_again_and_the_first_report_counts() -> None:
    data = Erasure(erasure_id=ID, user_id=USER, answered=erasures.FORGETTING)
    saga = ERASURE.begin(ID, data, NOW)
    saga, _ = ERASURE.advance(saga, erasures.NothingStandsInTheWay(decided_at=NOW), NOW)
    for count in (3, 0):
        report = ReportErasure(erasure_id=ID, service="lending", erased={"rows": count}, kept={})
        saga, _ = ERASURE.advance(saga, report, NOW)
    saga, sent = ERASURE.advance(saga, DEADLINE_PASSED, NOW)
    assert sent == [ErasureDecided(erasure_id=ID, user_id=USER, decided_at=NOW)]
    for service in erasures.FORGETTING:
        saga, _ = ERASURE.advance(saga, ReportErasure(erasure_id=ID, service=service, erased={}, kept={}), NOW)
    assert saga.data.all_reported
    assert saga.data.reports["lending"].erased == {"rows": 3}
    saga, _ = ERASURE.advance(saga, erasures.EverybodyForgot(), NOW)
    assert (saga.state, saga.deadline_at) == (ErasureState.ERASED, None)
