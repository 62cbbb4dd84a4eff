"""How well we know somebody, as data, and what that allows."""

from dataclasses import dataclass

from shared.contracts.auth.kyc_events import FIRST_DAILY_MAJOR


@dataclass(frozen=True)
class KycLevel:
    """What a person has shown, and how much money may come in and go out a day: major units of each currency; None: any."""

    number: int
    name: str
    shown: str
    daily_deposits_major: int | None
    daily_withdrawals_major: int | None


LEVELS = (
    KycLevel(0, "none", "nothing yet", FIRST_DAILY_MAJOR, FIRST_DAILY_MAJOR),
    KycLevel(1, "contact", "a confirmed e-mail address or phone number", FIRST_DAILY_MAJOR, FIRST_DAILY_MAJOR),
    KycLevel(2, "identity", "an identity document that was checked", 10 * FIRST_DAILY_MAJOR, 10 * FIRST_DAILY_MAJOR),
    KycLevel(3, "enhanced", "the document, and where the money comes from", None, None),
)
"""Generous: a deployment's own compliance officer lowers them here. Without a confirmed address nothing goes out anyway."""


def level_of(*, contact_confirmed: bool, approved_level: int | None) -> KycLevel:
    """The level of somebody whose identity was approved at `approved_level` (None: not, or not any more)."""
    return LEVELS[approved_level if approved_level is not None else int(contact_confirmed)]
