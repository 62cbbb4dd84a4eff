"""Which network address a request comes from, although it comes through the gateway."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Networks = tuple[IPv4Network | IPv6Network, ...]

_PRIVATE = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
PRIVATE_NETWORKS: Networks = tuple(ip_network(network) for network in _PRIVATE)
"""Where the gateway runs, unless settings say otherwise."""


def address_of(scope: Scope, trusted: Networks) -> str:
    """The client's address; empty when the server does not tell it."""
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer, b",".join(forwarded).decode("latin-1"), trusted) if forwarded else peer


@lru_cache(maxsize=1024)
def client_address(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The network address of the client.

    `forwarded_for` (X-Forwarded-For) is read from its end, where our own proxies write, and only as far as the hosts
    are ours: what a client put there itself is never believed.
    """
    address = peer
    for hop in reversed([item.strip() for item in forwarded_for.split(",") if item.strip()]):
        if not _is_in(address, trusted):
            break
        try:
            address = str(ip_address(hop))
        except ValueError:
            break
    return address


def _is_in(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
