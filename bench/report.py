"""What a person sees of a benchmark: tables, and a plot."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from bench.closed_loop import Measured
from bench.figures import RIVALS, YARDSTICK, Figure, Results

_WIDTH, _LINE, _MARGIN, _LABELS, _NUMBERS = 1200, 44, 24, 470, 200
_COLOURS = {YARDSTICK: "#7a7f87", "rival": "#b0793a", "ours": "#2563a8"}


def show_results(console: Console, results: Results, server_version: str, load: tuple[float, float]) -> None:
    """The table."""
    table = Table(title="Transfers a second, medians of the rounds", title_justify="left")
    for heading in ("figure", "what", "a second", "rounds", "p50 ms", "p99 ms", "ratio", "wanted"):
        table.add_column(heading, justify="left" if heading in ("figure", "what") else "right", no_wrap=heading != "what")
    for figure in results.measured:
        table.add_row(*_row(results, figure))
    console.print(table)
    for figure in results.measured:
        if each := results.processor_microseconds(figure.name):
            parts = ", ".join(f"{name} {microseconds:,.0f}" for name, microseconds in each.items())
            console.print(f"Processor µs for one transfer of {figure.name}: {parts}; {sum(each.values()):,.0f} in all.")
    console.print(
        f"PostgreSQL {server_version}, fsync and synchronous_commit on; {os.cpu_count()} cores; "
        f"load {load[0]:.1f} before, {load[1]:.1f} after. Ratios are to tpcb, of engine_hot_64 to engine_64."
    )
    if load[0] > 0.5 * (os.cpu_count() or 1):
        console.print("[yellow]The machine was busy before the benchmark began: these figures are lower than they could be.[/]")


def _row(results: Results, figure: Figure) -> tuple[str, ...]:
    rounds = results.of(figure.name)
    rates = [one.per_second for one in rounds]
    ratio = "" if figure.name == YARDSTICK else f"{results.ratio(figure):.2f}"
    if ratio and figure.wanted is not None:
        ratio = f"[{'green' if results.ratio(figure) >= figure.wanted else 'red'}]{ratio}[/]"
    last = rounds[len(rounds) // 2]
    return (
        figure.name,
        figure.what,
        f"{results.per_second(figure.name):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{last.p50_milliseconds:.1f}" if last.p50_milliseconds else "",
        f"{last.p99_milliseconds:.1f}" if last.p99_milliseconds else "",
        ratio,
        "" if figure.wanted is None else f"≥ {figure.wanted:g}",
    )


def show_profile(console: Console, figure: str, profile: Mapping[str, Any], measured: Measured) -> None:
    """Where the time of the sampled process goes."""
    table = Table(title=f"Where the time of {figure} goes", title_justify="left")
    table.add_column("part of the process")
    table.add_column("of its processor time", justify="right")
    for area, share in profile["areas"].items():
        table.add_row(area, f"{share:.1%}")
    table.add_section()
    for function, share in profile["functions"].items():
        table.add_row(f"  {function}", f"{share:.1%}")
    console.print(table)
    console.print(
        f"{measured.per_second:,.0f} transfers a second, under the sampler; the process used {profile['busy']:.0%} of one core."
    )


def show_waits(console: Console, waits: Mapping[str, float]) -> None:
    """What the server does while it works for the poster."""
    waiting = Table(title="What the server does on the poster's two connections", title_justify="left")
    waiting.add_column("state")
    waiting.add_column("connections, on average", justify="right")
    for what, connections in waits.items():
        waiting.add_row(what, f"{connections:.2f}")
    console.print(waiting)


def draw(results: Results, path: Path) -> None:
    """The plot, as a PNG."""
    figures = results.measured
    # Thousands of transfers in one transaction would dwarf the rest: they are told in the table.
    bars = [figure for figure in figures if figure.name != "legs"]
    longest = max(results.per_second(figure.name) for figure in bars)
    image = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _LINE * (len(bars) + 1)), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    pen.text(
        (_MARGIN, _MARGIN), "Transfers a second, medians (tpcb: transactions)", fill="black", font=ImageFont.load_default(21)
    )
    scale = (_WIDTH - 2 * _MARGIN - _LABELS - _NUMBERS) / longest
    for number, figure in enumerate(bars, start=1):
        rate, top = results.per_second(figure.name), _MARGIN + number * _LINE
        left = _MARGIN + _LABELS
        right = left + max(1, round(rate * scale))
        colour = _COLOURS.get(figure.name, _COLOURS["rival" if figure.name in RIVALS else "ours"])
        label = figure.what.split(":")[0]
        pen.text((_MARGIN, top + 8), label, fill="black", font=font)
        pen.rectangle((left, top + 5, right, top + _LINE - 9), fill=colour)
        told = f"{rate:,.0f}" + (
            "" if figure.name == YARDSTICK else f"  ({results.ratio(replace(figure, over=YARDSTICK)):.2f} x tpcb)"
        )
        pen.text((right + 10, top + 8), told, fill="black", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
