"""How well we know somebody, as data, and what that allows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KycLevel:
    """What a person has shown, and how much money may come in and go out a day: major units of each currency; None: any."""

    number: int
    name: str
    shown: str
    daily_deposits_major: int | None
    daily_withdrawals_major: int | None


LEVELS = (
    KycLevel(0, "none", "nothing yet", 1_000_000_000, 0),
    KycLevel(1, "contact", "a confirmed e-mail address or phone number", 1_000_000_000, 1_000_000_000),
    KycLevel(2, "identity", "an identity document that was checked", 10_000_000_000, 10_000_000_000),
    KycLevel(3, "enhanced", "the document, and where the money comes from", None, None),
)
"""Generous: a deployment's own compliance officer lowers them here."""


def level_of(*, contact_confirmed: bool, approved_level: int | None) -> KycLevel:
    """The level of somebody whose identity was approved at `approved_level` (None: not, or not any more)."""
    return LEVELS[approved_level if approved_level is not None else int(contact_confirmed)]
