"""Wires the auth service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.auth.api import (
    account,
    admin_kyc,
    api_clients,
    audit_log,
    client_token,
    email,
    factor_resets,
    factors,
    identities,
    internal,
    kyc,
    kyc_webhooks,
    login,
    me,
    pages,
    passkeys,
    phone,
    privacy,
    role_grants,
    second_step,
    sessions,
    sign_on,
    signing_keys,
    users,
    well_known,
)
from services.auth.commands.prepare import ensure_admin
from services.auth.commands.rotate_keys import rotate_keys_on_schedule
from services.auth.consumers import CONSUMERS
from services.auth.context import Context
from services.auth.jobs import JOBS
from services.auth.key_ring import KeyRing, OwnKeyVerifier
from services.auth.passwords import Passwords
from services.auth.providers.kyc import identity_provider
from services.auth.providers.openid import OpenIdProvider
from services.auth.queries.signing_keys import all_keys
from services.auth.sealed import FOUND_BY_INDEX
from services.auth.settings import Settings
from shared.crypto import open_vault
from shared.crypto.rotation import seal_clear
from shared.http.app import create_app
from shared.identity.tokens import TokenRules
from shared.service import Platform, Service, open_database
from shared.storage import open_files


def build(settings: Settings, platform: Platform) -> Service:
    """The auth service, ready to be run."""
    database = open_database(settings, "auth")
    keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
    vault = open_vault(keys, production=settings.production)
    key_ring = KeyRing(lambda: all_keys(database, vault), platform.clock, platform.token_verifier.revocations)
    context = Context(
        settings=settings,
        clock=platform.clock,
        database=database,
        vault=vault,
        passwords=Passwords(settings),
        key_ring=key_ring,
        files=open_files(settings.storage_url, vault),
        identity_provider=identity_provider(
            settings.auth_kyc_provider,
            platform.clock,
            public_url=settings.public_url,
            webhook_secret=settings.auth_kyc_webhook_secret.get_secret_value(),
        ),
        openid_providers=_openid_providers(settings, platform),
    )

    @asynccontextmanager
    async def resources() -> AsyncIterator[None]:
        await seal_clear(database, vault, *FOUND_BY_INDEX)
        await rotate_keys_on_schedule(context)
        await ensure_admin(context)
        try:
            yield
        finally:
            context.passwords.close()
            if context.identity_provider is not None:
                await context.identity_provider.close()

    rules = TokenRules(issuer=settings.token_issuer, audience=settings.token_audience)
    app = create_app(
        service="auth",
        title="Lendery auth",
        description="Accounts, sessions, roles and identity checks.",
        routers=[
            module.router
            for module in (
                account,
                login,
                sessions,
                me,
                kyc,
                admin_kyc,
                kyc_webhooks,
                users,
                audit_log,
                pages,
                privacy,
                well_known,
                api_clients,
                client_token,
                role_grants,
                sign_on,
                identities,
                email,
                second_step,
                factors,
                factor_resets,
                passkeys,
                phone,
                internal,
                signing_keys,
            )
        ],
        checks={"database": database.ping},
        token_verifier=OwnKeyVerifier(key_ring, rules, platform.token_verifier.revocations),
        context=context,
        trusted_proxies=settings.proxy_networks(),
    )
    return Service(name="auth", app=app, database=database, context=context, consumers=CONSUMERS, jobs=JOBS, resources=resources)


def _openid_providers(settings: Settings, platform: Platform) -> dict[str, OpenIdProvider]:
    base = settings.public_url.rstrip("/")
    return {
        provider.name: OpenIdProvider(
            provider, redirect_uri=f"{base}/v1/auth/oauth/{provider.name}/callback", clock=platform.clock
        )
        for provider in settings.auth_openid_providers
    }
