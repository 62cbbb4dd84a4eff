"""Logs: one JSON object a line, with trace and request ids and without personal data.

Callers log ids and counts, never names, addresses, numbers or tokens.
"""

import logging
import re
import sys
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from shared.telemetry import trace
from shared.telemetry.access import Lines

# PostgreSQL quotes rows and keys in these parts of an error: to the next part of the message, however many lines the row has.
_QUOTED_ROW = re.compile(
    r"^(DETAIL|CONTEXT|HINT):.*?(?=^\S*(?:\[SQL|The above exception|During handling|Traceback )|\Z)", re.MULTILINE | re.DOTALL
)


class _Formatter(JsonFormatter):
    """JSON lines whose exceptions keep their stack and their first line, without the rows that a database quotes."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; or several that are complete already."""
        return record.msg if type(record.msg) is Lines else super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 logging's name
        """The stack and the error."""
        return _QUOTED_ROW.sub(r"\1: (left out)\n", str(super().formatException(ei))).rstrip()


class _TraceFilter(logging.Filter):
    """Adds the ids of the present work to every record."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: it only adds fields."""
        record.service = self._service
        record.trace_id = trace.current().trace_id
        record.request_id = trace.request_id()
        return True


def configure_logging(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log record of this process to `stream` (default: standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _Formatter(
            "{asctime}{levelname}{name}{message}{service}{trace_id}{request_id}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    )
    handler.addFilter(_TraceFilter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "httpx", "httpcore", "aiormq", "aio_pika", "alembic", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
