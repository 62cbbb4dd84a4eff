"""Where a request comes from, although it comes through the gateway."""

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated

from fastapi import Depends, Request

from services.auth.context import Ctx
from services.auth.domain.origin import Origin

_DEVICE_MAX = 200
Networks = tuple[IPv4Network | IPv6Network, ...]


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


def _origin(request: Request, context: Ctx) -> Origin:
    peer = request.client.host if request.client else ""
    forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
    device = "".join(letter for letter in request.headers.get("user-agent", "") if letter.isprintable())
    return Origin(client_address(peer, forwarded_for, context.settings.proxy_networks()), device[:_DEVICE_MAX])


RequestOrigin = Annotated[Origin, Depends(_origin)]
"""Endpoint parameter: the client's network address and software."""
