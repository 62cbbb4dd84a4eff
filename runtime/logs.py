"""Where the logs of `lendery up` go: a file in the data directory, so that the terminal stays readable."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from runtime.trouble import from_os_error
from shared.telemetry.logs import configure_logging

_FILE_BYTES = 10 * 1024 * 1024
_OLD_FILES = 2


def log_to_file(file: Path, *, level: str, also_to_terminal: bool) -> None:
    """Write every record of this process to `file` as JSON lines, bounded in size; to standard error too if asked.

    Raises `Trouble` when the file cannot be written.
    """
    configure_logging("lendery", level=level)
    root = logging.getLogger()
    terminal = root.handlers[0]
    try:
        kept = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
    except OSError as error:
        raise from_os_error(error, file.parent) from error
    kept.setFormatter(terminal.formatter)
    kept.filters = list(terminal.filters)
    root.handlers[:] = [kept, terminal] if also_to_terminal else [kept]
