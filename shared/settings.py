"""Configuration that every process has, from the environment."""

from typing import Literal
from urllib.parse import urljoin

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.crypto import Vault, open_vault
from shared.money import UnknownCurrency, currency

_SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "amqp_url": ("amqp", "amqps"),
    "redis_url": ("redis", "rediss", "unix"),
}


class CommonSettings(BaseSettings):
    """What every service reads from the environment. A service's own settings extend this class.

    In production (`LENDERY_ENV=production`) no secret has a default and nothing meant for a laptop is accepted.
    """

    model_config = SettingsConfigDict(env_prefix="LENDERY_", frozen=True, extra="ignore", populate_by_name=True)

    env: Literal["local", "test", "production"] = "local"
    database_url: SecretStr = Field(SecretStr("postgresql://localhost/lendery"), validation_alias="DATABASE_URL")
    amqp_url: SecretStr | None = Field(None, validation_alias="AMQP_URL")
    amqp_prefix: str = "lendery"
    redis_url: SecretStr | None = Field(None, validation_alias="REDIS_URL")
    encryption_keys: SecretStr | None = None
    db_role_prefix: str = "lendery"
    db_pool_size: int = Field(4, ge=1, le=100)
    public_url: str = "http://localhost:8000"
    home_currency: str = "KES"
    auth_url: str | None = None
    jwks_url: str = "http://localhost:8000/.well-known/jwks.json"
    token_audience: str = "lendery"  # noqa: S105
    auto_verify: bool = False
    simulation: bool = False
    log_level: str = "INFO"

    @field_validator("database_url", "amqp_url", "redis_url")
    @classmethod
    def _check_address(cls, url: SecretStr | None, field: ValidationInfo) -> SecretStr | None:
        schemes = _SCHEMES[field.field_name or ""]
        if url is not None and not url.get_secret_value().startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    @field_validator("home_currency")
    @classmethod
    def _check_currency(cls, code: str) -> str:
        try:
            return currency(code).code
        except UnknownCurrency as error:
            raise ValueError("must be an ISO 4217 code in capitals, such as KES") from error

    @model_validator(mode="after")
    def _refuse_local_conveniences_in_production(self) -> "CommonSettings":
        if self.env == "production":
            refused = {
                "LENDERY_AUTO_VERIFY is refused": self.auto_verify,
                "LENDERY_SIMULATION is refused": self.simulation,
                "LENDERY_PUBLIC_URL must be https": not self.public_url.startswith("https://"),
            }
            if any(refused.values()):
                reasons = ", ".join(reason for reason, holds in refused.items() if holds)
                raise ValueError(f"{reasons} when LENDERY_ENV=production")
        return self

    @property
    def revocations_url(self) -> str:
        """Where the auth service tells other processes, and nobody outside, what has been revoked."""
        return urljoin(self.auth_url or self.jwks_url, "/internal/revocations")

    def open_vault(self) -> Vault:
        """The vault of `LENDERY_ENCRYPTION_KEYS`. Raises `ValueError` saying what to correct."""
        return open_vault(self.encryption_keys.get_secret_value() if self.encryption_keys else None, production=self.production)

    @property
    def token_issuer(self) -> str:
        """The `iss` of access tokens: the public address of the platform."""
        return self.public_url

    @property
    def production(self) -> bool:
        """Whether real people's money is at stake."""
        return self.env == "production"
