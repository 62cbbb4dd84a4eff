"""Configuration of the auth service, from the environment."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from os import getuid
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from services.auth.domain.passwords import refused_because
from services.auth.domain.sign_on import origin_of
from services.auth.providers.kyc import PROVIDERS
from services.auth.providers.openid.settings import OpenIdSettings, is_loopback
from shared.crypto import open_vault
from shared.settings import CommonSettings

LOCAL_ADMIN_PASSWORD = "admin-local-only"  # noqa: S105 known to everybody, refused in production

LOCAL_STORAGE_URL = (Path(gettempdir()) / f"lendery-files-{getuid()}").as_uri()


class Settings(CommonSettings):
    """`LENDERY_AUTH_…`, and the secrets `LENDERY_ENCRYPTION_KEYS` and `LENDERY_ADMIN_PASSWORD`.

    Outside production the first administrator has a password that everybody knows, and secrets are sealed under a key
    that everybody knows, unless others are given. In production there is no administrator until a password is given.

    `storage_url` is where identity documents and exports are kept, sealed (see `shared.storage`). `auth_kyc_provider` decides
    about identities: `manual` (our reviewers) or, outside production, `sandbox`, or `sandbox-webhook`, which answers later and
    signs with `auth_kyc_webhook_secret`; `auth_kyc_months` is how long that holds.

    `auth_openid_providers` is a JSON list of providers to sign on with (see `providers/openid/settings.py`), and
    `auth_return_origins` a comma-separated list of further addresses of ours, such as `https://app.example.com`, that people
    may be sent to after it.

    `auth_factor_reset_hours` is how long a reset of somebody's second factors waits for a second operator, and
    `auth_factor_reset_wait_hours` how long the owner can stop it after that.
    """

    encryption_keys: SecretStr | None = None
    admin_email: str = "admin@lendery.test"
    admin_password: SecretStr | None = None

    auth_access_token_seconds: int = Field(900, ge=60, le=900)
    auth_refresh_token_days: int = Field(30, ge=1, le=90)
    auth_session_days: int = Field(90, ge=1, le=365)
    auth_refresh_grace_seconds: int = Field(10, ge=0, le=60)
    auth_signing_key_days: int = Field(30, ge=1, le=365)
    auth_verify_link_hours: int = Field(48, ge=1, le=240)
    auth_reset_link_minutes: int = Field(30, ge=5, le=1440)

    storage_url: str = LOCAL_STORAGE_URL
    auth_kyc_provider: str = "manual"
    auth_kyc_webhook_secret: SecretStr = SecretStr("kyc-sandbox-local-only")
    auth_kyc_months: int = Field(24, ge=1, le=120)
    auth_privacy_patience_seconds: float = Field(10, ge=0, le=30)

    auth_api_clients_max: int = Field(20, ge=1, le=1000)
    auth_api_client_overlap_hours: int = Field(24, ge=0, le=720)

    auth_openid_providers: tuple[OpenIdSettings, ...] = ()
    auth_return_origins: str = ""
    auth_role_grant_hours: int = Field(72, ge=1, le=720)
    auth_factor_reset_hours: int = Field(72, ge=1, le=720)
    auth_factor_reset_wait_hours: int = Field(24, ge=1, le=720)

    auth_hash_threads: int = Field(2, ge=1, le=64)
    auth_hash_memory_kib: int = Field(19_456, ge=8)
    auth_hash_rounds: int = Field(2, ge=1)
    auth_hash_waiting_max: int = Field(5_000, ge=1)

    auth_account_failures: int = Field(5, ge=1)
    auth_account_failures_everywhere: int = Field(20, ge=1)
    auth_address_failures: int = Field(100, ge=1)
    auth_factor_failures: int = Field(10, ge=1)
    auth_mfa_login_seconds: int = Field(300, ge=60, le=900)
    auth_sms_codes: bool | None = None
    auth_quiet_seconds: float = Field(0.1, ge=0, le=2)
    auth_trusted_proxies: str = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"

    @model_validator(mode="after")
    def _check_secrets(self) -> "Settings":
        self.proxy_networks()
        open_vault(self.encryption_keys.get_secret_value() if self.encryption_keys else None, production=self.production)
        if self.production and self.storage_url == LOCAL_STORAGE_URL:
            raise ValueError("LENDERY_STORAGE_URL is needed when LENDERY_ENV=production: file:///directory or s3://bucket/prefix")
        if not self.storage_url.startswith(("file:///", "s3://")):
            raise ValueError("LENDERY_STORAGE_URL must be file:///directory or s3://bucket/prefix")
        if self.auth_kyc_provider not in PROVIDERS:
            raise ValueError(f"LENDERY_AUTH_KYC_PROVIDER must be one of {', '.join(PROVIDERS)}")
        if self.auth_kyc_provider != "manual" and self.production:
            raise ValueError("LENDERY_AUTH_KYC_PROVIDER must be manual when LENDERY_ENV=production: the sandbox approves anybody")
        self._check_openid_providers()
        password = self.first_admin_password
        if password is not None and self.production:
            if password == LOCAL_ADMIN_PASSWORD:
                raise ValueError("LENDERY_ADMIN_PASSWORD is the local default; choose another when LENDERY_ENV=production")
            if reason := refused_because(password):
                raise ValueError(f"LENDERY_ADMIN_PASSWORD {reason}")
        return self

    @property
    def sms_codes(self) -> bool:
        """Whether codes can go by SMS: unless said otherwise, outside production, where the mailbox shows them."""
        return not self.production if self.auth_sms_codes is None else self.auth_sms_codes

    @property
    def site_origin(self) -> str:
        """The origin of our own pages, which passkeys are bound to: scheme, host and perhaps port."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def site_id(self) -> str:
        """The host of our own pages: the relying party of passkeys."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def first_admin_password(self) -> str | None:
        """The password of the administrator made at the first start; None when there is to be none."""
        if self.admin_password is not None and self.admin_password.get_secret_value():
            return self.admin_password.get_secret_value()
        return None if self.production else LOCAL_ADMIN_PASSWORD

    def _check_openid_providers(self) -> None:
        for what in ("name", "issuer"):
            found = [getattr(provider, what) for provider in self.auth_openid_providers]
            if len(set(found)) < len(found):
                raise ValueError(f"LENDERY_AUTH_OPENID_PROVIDERS has two providers with the same {what}")
        if self.production and any(is_loopback(provider.issuer) for provider in self.auth_openid_providers):
            raise ValueError("LENDERY_AUTH_OPENID_PROVIDERS has a provider on this machine although LENDERY_ENV=production")

    def return_origins(self) -> frozenset[str]:
        """Where people may be sent after a sign-on: our public address, and those of other apps of ours."""
        others = (item.strip() for item in self.auth_return_origins.split(","))
        return frozenset({origin_of(self.public_url), *(origin_of(item) for item in others if item)})

    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks whose hosts may say, in X-Forwarded-For, whom they speak for: where the gateway runs."""
        return tuple(ip_network(item.strip()) for item in self.auth_trusted_proxies.split(",") if item.strip())
