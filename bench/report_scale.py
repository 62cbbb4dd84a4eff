"""The plot of `bench.ledger_scale`: rates with and without a history, and how long pages take in a short and a long one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from PIL import Image, ImageDraw, ImageFont

from bench.closed_loop import Measured

_WIDTH, _LINE, _MARGIN, _LABELS, _NUMBERS = 1200, 40, 24, 430, 190
_SHORT, _LONG = "#7a7f87", "#2563a8"

_Bar = tuple[str, float, str, str]
"""Label, length, what is written beside it, colour."""


def draw(
    engine: Mapping[str, Sequence[Measured]],
    pages: Mapping[str, Mapping[str, Mapping[str, float]]],
    transfers: int,
    few: int,
    path: Path,
) -> None:
    """Write it as a PNG."""
    rates = {name: median(one.per_second for one in rounds) for name, rounds in engine.items()}
    groups: list[tuple[str, list[_Bar]]] = [
        (
            "Transfers a second, 64 callers",
            [
                ("nothing in the tables", rates["none"], f"{rates['none']:,.0f}", _SHORT),
                (f"{transfers:,} in the tables", rates["many"], f"{rates['many']:,.0f}", _LONG),
            ],
        )
    ]
    for kind, title in (("statement", "A page of a statement"), ("effective", "by effective date"), ("entries", "entries")):
        bars: list[_Bar] = []
        for name, count, colour in (("few", few, _SHORT), ("many", transfers, _LONG)):
            one = pages[kind][name]
            bars.append((f"{count:,} transfers", one["p99"], f"{one['p99']:.1f} ms (p50 {one['p50']:.1f})", colour))
        groups.append((f"{title}: p99, milliseconds", bars))
    lines = sum(1 + len(bars) for _, bars in groups)
    image = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _LINE * lines), "white")
    pen, font, heading = ImageDraw.Draw(image), ImageFont.load_default(17), ImageFont.load_default(20)
    top = _MARGIN
    for title, bars in groups:
        pen.text((_MARGIN, top + 6), title, fill="black", font=heading)
        top += _LINE
        scale = (_WIDTH - 2 * _MARGIN - _LABELS - _NUMBERS) / max(length for _, length, _, _ in bars)
        for label, length, told, colour in bars:
            left, right = _MARGIN + _LABELS, _MARGIN + _LABELS + max(1, round(length * scale))
            pen.text((_MARGIN + 16, top + 6), label, fill="black", font=font)
            pen.rectangle((left, top + 4, right, top + _LINE - 8), fill=colour)
            pen.text((right + 10, top + 6), told, fill="black", font=font)
            top += _LINE
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
