"""Wires notifications together."""

from services.notifications.api import event_types, notifications
from services.notifications.consumers import CONSUMERS
from services.notifications.context import Context
from services.notifications.jobs import JOBS
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
    context = Context(
        settings=settings,
        clock=platform.clock,
        database=database,
        vault=open_vault(keys, production=settings.production),
        renderer=Renderer(settings.public_url),
        mailer=mailer,
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
    return Service(name=NAME, app=app, database=database, context=context, consumers=CONSUMERS, jobs=JOBS)
