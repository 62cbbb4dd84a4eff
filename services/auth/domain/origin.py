"""Where a request came from, for sessions and the audit log."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """`address` is the network address of the client, `device` what its software calls itself."""

    address: str
    device: str


SYSTEM = Origin(address="", device="lendery")
"""The platform itself, acting on nobody's request."""
