"""`lendery serve`."""

from enum import StrEnum
from typing import Annotated

import typer


class Server(StrEnum):
    """What can be served; `runtime.services` has the same names."""

    GATEWAY = "gateway"
    AUTH = "auth"
    WALLET_LEDGER = "wallet-ledger"
    LENDING = "lending"
    PAYMENTS = "payments"
    NOTIFICATIONS = "notifications"
    SANDBOX = "sandbox"


class Role(StrEnum):
    """Which part of a service to run."""

    API = "api"
    WORKER = "worker"
    ALL = "all"


ServerArgument = Annotated[Server, typer.Argument(help="The deployment to run.", show_default=False)]
RoleOption = Annotated[
    Role, typer.Option(help="api: HTTP. worker: consumers, outbox relay and jobs, with health and metrics over HTTP.")
]
Host = Annotated[str, typer.Option(envvar="LENDERY_HOST", help="The address to listen on.")]
Port = Annotated[int, typer.Option(envvar="LENDERY_PORT", min=0, max=65535, help="The port to listen on.")]


def serve(
    service: ServerArgument,
    role: RoleOption = Role.ALL,
    host: Host = "0.0.0.0",  # noqa: S104 a container's only door
    port: Port = 8000,
) -> None:
    """Run one service as one deployment.

    It is configured by the environment and runs until SIGTERM or Ctrl-C. Needs DATABASE_URL (except for the gateway) and
    AMQP_URL (for workers). Logs go to standard error as JSON lines.
    """
    from runtime.console import err
    from runtime.signals import Stopped, stoppable

    try:
        with stoppable():
            _serve(service, role, host, port)
    except Stopped:
        err().print("Stopped.")


def _serve(server: Server, role: Role, host: str, port: int) -> None:
    from runtime import deployment
    from runtime.http_server import bind
    from runtime.services import SERVICES
    from runtime.settings import read_settings
    from runtime.signals import run_until_stopped
    from shared.telemetry.logs import configure_logging

    settings = read_settings()
    entry = next((entry for entry in SERVICES if entry.command_name == server.value), None)
    _check(settings.amqp_url is not None, has_worker=entry is not None and entry.worker, server=server, role=role)
    configure_logging(server.value, level=settings.log_level)
    with bind(host, port) as listener:
        if entry is None:
            run_until_stopped(deployment.run_gateway(listener, settings))
        else:
            run_until_stopped(deployment.run_service(entry, role.value, listener, settings))


def _check(broker: bool, *, has_worker: bool, server: Server, role: Role) -> None:
    """Refuse what cannot work. Raises `Trouble`."""
    from runtime.database import given_url
    from runtime.trouble import ExitCode, Trouble

    if role is Role.WORKER and not has_worker:
        raise Trouble(ExitCode.USAGE, f"{server.value} has no worker.", hint="Leave --role out.")
    if server is not Server.GATEWAY and given_url() is None:
        raise Trouble(
            ExitCode.USAGE,
            "`lendery serve` needs DATABASE_URL.",
            hint="`lendery up` runs the whole platform without any server.",
        )
    if has_worker and role is not Role.API and not broker:
        raise Trouble(
            ExitCode.USAGE,
            "A worker in its own process needs AMQP_URL.",
            hint="Run `--role api` for HTTP alone, or `lendery up` for the whole platform without a broker.",
        )
