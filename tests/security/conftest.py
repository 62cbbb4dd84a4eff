"""The attacks are tried on what the services' own tests use: a service on a database of its own, a running gateway."""

from tests.service.auth.conftest import (
    admin,
    amina,
    baraka,
    client,
    clock,
    sent,
    service,
    settings_changes,
)
from tests.service.gateway.conftest import as_user, gateway, start_gateway, upstream, upstream_server, user_id

__all__ = [
    "admin",
    "amina",
    "as_user",
    "baraka",
    "client",
    "clock",
    "gateway",
    "sent",
    "service",
    "settings_changes",
    "start_gateway",
    "upstream",
    "upstream_server",
    "user_id",
]
