"""Puts payments together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.payments.api import (
    deposits,
    payment_providers,
    payout_destinations,
    reconciliation,
    settlement_files,
    webhooks,
    withdrawals,
)
from services.payments.consumers import CONSUMERS
from services.payments.context import Context
from services.payments.jobs import JOBS
from services.payments.providers.base import Provider
from services.payments.providers.sandbox.client import SandboxProvider
from services.payments.settings import Settings
from shared.crypto import open_vault
from shared.http.app import create_app
from shared.service import Platform, Service, open_database


def build(settings: Settings, platform: Platform) -> Service:
    """The payments service."""
    database = open_database(settings, "payments")
    keys = settings.encryption_keys
    context = Context(
        settings=settings,
        clock=platform.clock,
        database=database,
        providers={provider.capabilities.name: provider for provider in _providers(settings)},
        vault=open_vault(keys.get_secret_value() if keys else None, production=settings.production),
    )

    @asynccontextmanager
    async def connections() -> AsyncIterator[None]:
        try:
            yield
        finally:
            for provider in context.providers.values():
                await provider.close()

    app = create_app(
        service="payments",
        title="Payments",
        description="Money in and out: deposits, withdrawals, payment providers and their webhooks.",
        routers=[
            deposits.router,
            withdrawals.router,
            withdrawals.admin_router,
            payout_destinations.router,
            payment_providers.router,
            webhooks.router,
            reconciliation.router,
            settlement_files.router,
        ],
        checks={"database": database.ping},
        token_verifier=platform.token_verifier,
        context=context,
    )
    return Service(
        name="payments", app=app, database=database, context=context, consumers=CONSUMERS, jobs=JOBS, resources=connections
    )


def _providers(settings: Settings) -> list[Provider]:
    if settings.production:
        return []
    return [
        SandboxProvider(
            settings.sandbox_url or settings.public_url,
            settings.sandbox_secret.get_secret_value(),
            timeout_seconds=settings.provider_timeout_seconds,
        )
    ]
