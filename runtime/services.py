"""The only list of services: where each one's code is, and how it is wired from the environment."""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import ValidationError

from runtime.settings import wrong_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shared.messaging.consumer import ConsumerTable
    from shared.service import Platform, Service
    from shared.settings import CommonSettings
    from shared.verification import Check

    Settings = typing.TypeVar("Settings", bound=CommonSettings)


@dataclass(frozen=True)
class ServiceEntry:
    """One service: its name, which is also its schema, and its package, which has `main.build`.

    `worker` says whether it consumes messages, relays an outbox or has jobs; `proves` whether it has checks for `lendery verify`.
    """

    name: str
    package: str
    worker: bool = True
    proves: bool = False

    @property
    def command_name(self) -> str:
        """The name on the command line: `wallet-ledger`."""
        return self.name.replace("_", "-")

    @property
    def address_variable(self) -> str:
        """The environment variable that tells others where the service answers."""
        return f"LENDERY_{self.name.upper()}_URL"

    def build(self, platform: "Platform") -> "Service":
        """The service, wired from the environment. Raises `Trouble` when that is not valid."""
        build = import_module(f"{self.package}.main").build
        settings = read_environment(typing.get_type_hints(build)["settings"])
        service: Service = build(settings, platform)
        return service

    def consumers(self) -> "ConsumerTable":
        """What the service consumes, known without wiring it."""
        table: ConsumerTable = import_module(f"{self.package}.consumers").CONSUMERS
        return table

    def checks(self) -> "Sequence[Check]":
        """What the service can prove of its tables."""
        checks: Sequence[Check] = import_module(f"{self.package}.checks").CHECKS if self.proves else ()
        return checks


SERVICES = (
    ServiceEntry("auth", "services.auth", proves=True),
    ServiceEntry("wallet_ledger", "services.wallet_ledger", proves=True),
    ServiceEntry("lending", "services.lending"),
    ServiceEntry("payments", "services.payments"),
    ServiceEntry("notifications", "services.notifications"),
    ServiceEntry("sandbox", "services.payments.providers.sandbox.server", worker=False),
)


def consumer_tables() -> Mapping[str, "ConsumerTable"]:
    """What every service of the platform consumes, whichever process it runs in."""
    return {entry.name: entry.consumers() for entry in SERVICES if entry.worker}


def read_environment(settings_class: "type[Settings]") -> "Settings":
    """The settings of one service. Raises `Trouble` that names each wrong variable."""
    try:
        return settings_class()
    except ValidationError as error:
        raise wrong_settings(error) from None


def build_gateway(platform: "Platform") -> "FastAPI":
    """The gateway, wired from the environment. Raises `Trouble` when that is not valid."""
    build = import_module("gateway.main").build
    app: FastAPI = build(read_environment(typing.get_type_hints(build)["settings"]), platform)
    return app
