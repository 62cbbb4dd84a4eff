"""What reaches the log: the stack of an error, and nothing of the rows that it quotes."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared.telemetry.logs import configure_logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("tests", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


class UniqueViolationError(Exception):
    """As the driver words it."""


def test_rows_that_a_database_quotes_stay_out_of_the_log(log: io.StringIO) -> None:
    quoted = "DETAIL:  Failing row contains (1, ann@example.test, a note\nof two lines)."
    try:
        try:
            raise UniqueViolationError(f"duplicate key value violates unique constraint\n{quoted}")
        except UniqueViolationError as error:
            raise RuntimeError(f"{error}\n[SQL: INSERT INTO users]") from error
    except RuntimeError:
        logging.getLogger("a").exception("it failed")

    told = json.loads(log.getvalue())["exc_info"]
    assert "ann@example.test" not in told
    assert "of two lines" not in told
    assert told.count("unique constraint\nDETAIL: (left out)") == 2
    assert "[SQL: INSERT INTO users]" in told
    assert told.count("test_logs.py") >= 2


def test_other_errors_are_told_as_they_are(log: io.StringIO) -> None:
    try:
        raise ValueError("the wheel is broken")
    except ValueError:
        logging.getLogger("a").exception("it failed")
    assert json.loads(log.getvalue())["exc_info"].endswith("ValueError: the wheel is broken")
