"""The network address of a client. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

Network = IPv4Network | IPv6Network


def peer_address(scope: Scope) -> str:
    """The other end of the connection itself, whatever the headers say."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else "unknown"


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The peer; or, when that is a proxy of ours, the last address in `X-Forwarded-For` that is not one of ours."""
    address = peer_address(scope)
    if not trusted or not _within(address, trusted):
        return address
    for name, value in reversed(scope["headers"]):
        if name == b"x-forwarded-for":
            hops: list[str] = value.decode("latin-1").split(",")
            for hop in (hop.strip() for hop in reversed(hops)):
                if _parsed(hop) is None:
                    return address
                address = hop
                if not _within(address, trusted):
                    return address
    return address


def is_direct_loopback(scope: Scope) -> bool:
    """Whether a program on this machine is asking for itself, not passing on somebody else's request."""
    parsed = _parsed(peer_address(scope))
    forwarded = any(name in (b"x-forwarded-for", b"forwarded", b"via") for name, _ in scope["headers"])
    return parsed is not None and parsed.is_loopback and not forwarded


def limited_address(address: str) -> str:
    """What rate limits count: one IPv4 address, or the /64 network that one IPv6 household has to itself."""
    if ":" not in address:
        return address
    parsed = _parsed(address)
    if parsed is None or isinstance(parsed, IPv4Address):
        return address if parsed is None else str(parsed)
    return str(IPv6Network((int(parsed) >> 64 << 64, 64)))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one also when it is written as an IPv6 one."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed


def _within(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)
