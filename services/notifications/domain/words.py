"""What one message says, before it is laid out for a channel."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """`title` and `summary` are one line each and make sense alone: they are the feed entry and the start of an e-mail.

    `facts` are label and value pairs; `action` is what the link is called, empty when there is nothing to open.
    """

    title: str
    summary: str
    details: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    action: str = ""
