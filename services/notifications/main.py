"""Wires notifications together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.notifications.api import event_types, notifications
from services.notifications.consumers import CONSUMERS
from services.notifications.context import Context
from services.notifications.jobs import JOBS
from services.notifications.providers.africastalking.client import AfricasTalking
from services.notifications.providers.base import SmsGateway
from services.notifications.providers.local_phone.client import LocalPhone
from services.notifications.providers.no_phone import NoPhone
from services.notifications.providers.smtp.client import SmtpMailer
from services.notifications.rendering import Renderer
from services.notifications.settings import Settings
from shared.crypto import open_vault
from shared.http.app import create_app
from shared.service import Platform, Service, open_database

NAME = "notifications"


def build(settings: Settings, platform: Platform) -> Service:
    """The service, not yet running. Raises `ValueError` when the settings cannot be used."""
    database = open_database(settings, NAME)
    keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
    mailer = SmtpMailer(settings.smtp_server, hello_name=settings.sender.domain, timeout_seconds=settings.smtp_timeout_seconds)
    sms = _sms_gateway(settings, mailer)
    context = Context(
        settings=settings,
        clock=platform.clock,
        database=database,
        vault=open_vault(keys, production=settings.production),
        renderer=Renderer(settings.public_url),
        mailer=mailer,
        sms=sms,
    )
    app = create_app(
        service=NAME,
        title="Lendery notifications",
        description="What people were told: the in-app feed.",
        routers=[notifications.router, event_types.router],
        checks={"database": database.ping, "smtp": mailer.ping},
        token_verifier=platform.token_verifier,
        context=context,
    )

    @asynccontextmanager
    async def connections() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sms.close()

    return Service(name=NAME, app=app, database=database, context=context, consumers=CONSUMERS, jobs=JOBS, resources=connections)


def _sms_gateway(settings: Settings, mailer: SmtpMailer) -> SmsGateway:
    if settings.sms_account is not None:
        return AfricasTalking(settings.sms_account, timeout_seconds=settings.sms_timeout_seconds)
    return NoPhone() if settings.production else LocalPhone(mailer, settings.sender)
