"""What is measured, in which order, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.closed_loop import Measured

YARDSTICK = "tpcb"


@dataclass(frozen=True)
class Figure:
    """One number of the benchmark. `wanted` is the least that it should be, over that of the figure `over`."""

    name: str
    what: str
    over: str = YARDSTICK
    wanted: float | None = None


FIGURES = (
    Figure(YARDSTICK, "pgbench tpcb-like, scale 10, 16 clients, prepared: transactions"),
    Figure("engine_16", "16 callers in the process, a transfer each", wanted=1.5),
    Figure("engine_64", "64 callers in the process, a transfer each", wanted=3),
    Figure("engine_hot_64", "the same, one side always the same account", over="engine_64", wanted=0.9),
    Figure("legs", "4 callers, 10,000 transfers a transaction", wanted=8),
    Figure("http_64", "POST /v1/transfers, 64 connections", wanted=0.6),
    Figure("gateway_64", "the same through the gateway", wanted=0.35),
    Figure("functions_16", "database functions (pgledger's design), 16 clients"),
    Figure("row_by_row_16", "SQLAlchemy ORM, row by row, 16 callers"),
)
BY_NAME = {figure.name: figure for figure in FIGURES}
RIVALS = ("functions_16", "row_by_row_16")


class Results:
    """The rounds so far. The server and its machine have good and bad minutes: a ratio is taken within a round."""

    def __init__(self) -> None:
        self._rounds: list[dict[str, Measured]] = []

    def add(self, measured: Mapping[str, Measured]) -> None:
        """One more round."""
        self._rounds.append(dict(measured))

    @property
    def measured(self) -> Sequence[Figure]:
        """The figures that there are."""
        return [figure for figure in FIGURES if any(figure.name in one for one in self._rounds)]

    def of(self, name: str) -> list[Measured]:
        """What each round measured."""
        return [one[name] for one in self._rounds if name in one]

    def per_second(self, name: str) -> float:
        """The median of the rounds."""
        return median(one.per_second for one in self.of(name))

    def ratio(self, figure: Figure) -> float:
        """The median of the rounds' ratios to the figure that this one is measured by."""
        pairs = [(one[figure.name], one[figure.over]) for one in self._rounds if figure.name in one and figure.over in one]
        return median(mine.per_second / its.per_second for mine, its in pairs)

    def processor_microseconds(self, name: str) -> dict[str, float]:
        """What one unit of work cost each process: medians of the rounds. Empty where that was not looked at."""
        rounds = self.of(name)
        return {one: median(each.processor_microseconds[one] for each in rounds) for one in rounds[0].processor_microseconds}

    def as_json(self) -> dict[str, object]:
        """The last line: the yardstick in transactions a second, everything else as a ratio; rates beside them."""
        ratios = {one.name: round(self.ratio(one), 3) for one in self.measured if one.name != YARDSTICK}
        rates = {one.name: round(self.per_second(one.name), 1) for one in self.measured}
        return {YARDSTICK: rates[YARDSTICK], **ratios, "per_second": rates}
