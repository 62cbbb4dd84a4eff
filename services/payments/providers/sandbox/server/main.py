"""Puts the sandbox provider together."""

from contextlib import AbstractAsyncContextManager

from services.payments.providers.sandbox.server import api, page
from services.payments.providers.sandbox.server.context import SandboxContext
from services.payments.providers.sandbox.server.courier import running_courier
from services.payments.providers.sandbox.server.settings import SandboxSettings
from shared.http.app import create_app
from shared.service import Platform, Service, open_database


def build(settings: SandboxSettings, platform: Platform) -> Service:
    """The sandbox provider. It consumes no messages and sends none: it calls a webhook, like any provider."""
    database = open_database(settings, "sandbox")
    context = SandboxContext(settings, platform.clock, database)

    def courier() -> AbstractAsyncContextManager[None]:
        return running_courier(context)

    app = create_app(
        service="sandbox",
        title="Sandbox payment provider",
        description="A payment page and a payout API for development and tests.",
        routers=[api.router, page.router],
        checks={"database": database.ping},
        token_verifier=platform.token_verifier,
        context=context,
    )
    return Service(name="sandbox", app=app, database=database, context=context, resources=courier)
