"""Where a request came from, for sessions and the audit log."""

from dataclasses import dataclass

from shared.identity.cookies import Carrier


@dataclass(frozen=True)
class Origin:
    """`address` is the network address of the client, `device` what its software calls itself.

    `carrier` is how the client would hold a session that is opened now.
    """

    address: str
    device: str
    carrier: Carrier = "bearer"


SYSTEM = Origin(address="", device="lendery")
"""The platform itself, acting on nobody's request."""
