"""What a verification of the ledger says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not add up. `where` names the first row at which it shows."""

    check: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come: rows done and to do, over all checks."""

    check: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result: the first fault of each check, and how much was looked at."""

    faults: tuple[Fault, ...]
    transactions: int
    transfers: int
    accounts: int
    holds: int
    blocks: int
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether everything adds up."""
        return not self.faults

    @property
    def transfers_per_second(self) -> float:
        """The rate."""
        return self.transfers / self.seconds if self.seconds else 0.0
