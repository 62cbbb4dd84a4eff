"""The terminal: results to standard output, everything else to standard error; colours only on a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from runtime.trouble import Trouble


@cache
def out() -> "Console":
    """Standard output."""
    from rich.console import Console

    return Console(highlight=False)


@cache
def err() -> "Console":
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def tell(trouble: "Trouble") -> None:
    """Say what went wrong and what to do about it."""
    from rich.text import Text

    console = err()
    # Text, not markup: messages quote paths and PostgreSQL's own words, which may hold brackets.
    console.print(Text("Error: ", style="bold red") + Text(trouble.message), soft_wrap=True)
    if trouble.hint:
        console.print(Text(trouble.hint), soft_wrap=True)


def print_columns(console: "Console", rows: Sequence[tuple[str, ...]]) -> None:
    """Aligned, the first row as titles. No rich table: it would break a long path or name in two, which nobody could copy."""
    from rich.text import Text

    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        text = Text(line, style="bold" if number == 0 else "")
        text.highlight_regex(r"https?://\S+", style="cyan")
        console.print(text, soft_wrap=True)


class Progress:
    """Says what is going on: with a spinner on a terminal, as a line for each step elsewhere."""

    def __init__(self) -> None:
        self._console = err()
        self._status: Status | None = self._console.status("Starting …") if self._console.is_terminal else None
        if self._status:
            self._status.start()

    def __call__(self, step: str) -> None:
        """Show the step that begins now."""
        if self._status:
            self._status.update(f"{step[:1].upper()}{step[1:]} …")
        else:
            self._console.print(f"{step[:1].upper()}{step[1:]} …", markup=False)

    def end(self) -> None:
        """Take the spinner away."""
        if self._status:
            self._status.stop()


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress of the block."""
    shown = Progress()
    try:
        yield shown
    finally:
        shown.end()
