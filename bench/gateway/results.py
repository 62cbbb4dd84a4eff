"""What is measured, and what came of it: one round after the other, and their medians."""

from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Wanted:
    """A ratio of the last line, and the least or the most that it should be."""

    name: str
    what: str
    bound: float
    at_least: bool

    def holds(self, value: float) -> bool:
        """Whether it is as it should be."""
        return value >= self.bound if self.at_least else value <= self.bound


WANTED = (
    Wanted("vs_bare", "requests/s over those of the bare aiohttp pass-through", 0.6, at_least=True),
    Wanted("vs_nginx", "requests/s over those of nginx proxy_pass", 0.2, at_least=True),
    Wanted("p99_ratio", "p99 at half of its capacity, over nginx's at the same rate", 5, at_least=False),
    Wanted("p99_during_logins", "p99 while 2,000 logins wait, over p99 without", 3, at_least=False),
)


@dataclass(frozen=True)
class Capacity:
    """One proxy with as many requests as it can answer; `processor_microseconds` is what one request costs it."""

    per_second: float
    processor_microseconds: float


@dataclass(frozen=True)
class Round:
    """One round: capacities by proxy, and latencies in milliseconds at `rate` requests a second."""

    capacity: dict[str, Capacity]
    rate: float
    p99: float
    p99_nginx: float
    p99_during_logins: float | None
    logins: dict[str, int]

    def ratios(self) -> dict[str, float]:
        """Every name of the last line that this round can tell."""
        ours = self.capacity["gateway"].per_second
        found = {
            "vs_bare": ours / self.capacity["bare"].per_second,
            "vs_nginx": ours / self.capacity["nginx"].per_second,
            "p99_ratio": self.p99 / self.p99_nginx,
        }
        if self.p99_during_logins is not None:
            found["p99_during_logins"] = self.p99_during_logins / self.p99
        return found


def medians(rounds: list[Round]) -> dict[str, float]:
    """The machine has good and bad minutes: a ratio is taken within a round, and the median of the rounds counts."""
    every = [one.ratios() for one in rounds]
    return {name: median(one[name] for one in every) for name in every[0]}


def as_json(rounds: list[Round]) -> dict[str, object]:
    """The last line: the ratios, and beside them what they were made of."""
    return {**{name: round(value, 3) for name, value in medians(rounds).items()}, "rounds": [asdict(one) for one in rounds]}
