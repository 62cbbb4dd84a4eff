"""What a person sees: a table, and a plot."""

import os
from pathlib import Path
from statistics import median

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from bench.gateway.results import WANTED, Round, medians

_WIDTH, _LINE, _MARGIN, _LABELS, _NUMBERS = 1100, 44, 24, 330, 240
_NAMES = {"bare": "bare aiohttp pass-through", "nginx": "nginx proxy_pass", "gateway": "the gateway, everything on"}
_COLOURS = {"bare": "#b0793a", "nginx": "#7a7f87", "gateway": "#2563a8"}


def show(console: Console, rounds: list[Round], load: tuple[float, float]) -> None:
    """The tables."""
    table = Table(title="1 KB of JSON from the same upstream, 32 connections; medians of the rounds", title_justify="left")
    for heading in ("proxy", "requests/s", "rounds", "processor µs a request"):
        table.add_column(heading, justify="left" if heading == "proxy" else "right")
    for name, what in _NAMES.items():
        rates = [one.capacity[name].per_second for one in rounds]
        cost = median(one.capacity[name].processor_microseconds for one in rounds)
        table.add_row(what, f"{median(rates):,.0f}", f"{min(rates):,.0f} to {max(rates):,.0f}", f"{cost:,.0f}")
    console.print(table)
    latencies = Table(title="Milliseconds at half of the gateway's capacity; medians of the rounds", title_justify="left")
    for heading in ("p99", "ms", "rounds"):
        latencies.add_column(heading, justify="left" if heading == "p99" else "right")
    logins = [one.p99_during_logins for one in rounds if one.p99_during_logins is not None]
    for what, values in (
        ("the gateway", [one.p99 for one in rounds]),
        ("nginx, at the same rate", [one.p99_nginx for one in rounds]),
        ("the gateway while 2,000 logins wait", logins),
    ):
        if values:
            latencies.add_row(what, f"{median(values):.2f}", f"{min(values):.2f} to {max(values):.2f}")
    console.print(latencies)
    found = medians(rounds)
    for wanted in WANTED:
        if wanted.name in found:
            holds = wanted.holds(found[wanted.name])
            bound = f"{'≥' if wanted.at_least else '≤'} {wanted.bound:g}"
            number = f"[{'green' if holds else 'red'}]{found[wanted.name]:.2f}[/]"
            console.print(f"{wanted.name:<18} {number} (wanted {bound}): {wanted.what}")
    console.print(f"{os.cpu_count()} cores; load {load[0]:.1f} before, {load[1]:.1f} after; one process a proxy.")
    if load[0] > 0.5 * (os.cpu_count() or 1):
        console.print("[yellow]The machine was busy before the benchmark began: latencies are worse than they could be.[/]")


def draw(rounds: list[Round], path: Path) -> None:
    """The plot, as a PNG: requests a second."""
    rates = {name: median(one.capacity[name].per_second for one in rounds) for name in _NAMES}
    image = Image.new("RGB", (_WIDTH, 2 * _MARGIN + _LINE * (len(rates) + 1)), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    title = "Requests a second, 1 KB of JSON, 32 connections"
    pen.text((_MARGIN, _MARGIN), title, fill="black", font=ImageFont.load_default(21))
    scale = (_WIDTH - 2 * _MARGIN - _LABELS - _NUMBERS) / max(rates.values())
    for number, (name, rate) in enumerate(rates.items(), start=1):
        top, left = _MARGIN + number * _LINE, _MARGIN + _LABELS
        right = left + max(1, round(rate * scale))
        pen.text((_MARGIN, top + 8), _NAMES[name], fill="black", font=font)
        pen.rectangle((left, top + 5, right, top + _LINE - 9), fill=_COLOURS[name])
        pen.text((right + 10, top + 8), f"{rate:,.0f}  ({rate / rates['bare']:.2f} x bare)", fill="black", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
