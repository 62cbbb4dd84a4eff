"""Configuration of payments."""

from pydantic import Field, SecretStr

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """What payments reads from the environment.

    `sandbox_url` is where the sandbox provider is called (default: the public address); production has no sandbox, so its
    secret is none there. `provider_timeout_seconds` bounds one call of a provider.
    """

    encryption_keys: SecretStr | None = None
    sandbox_url: str | None = None
    sandbox_secret: SecretStr = SecretStr("sandbox-local-only")
    provider_timeout_seconds: float = Field(10.0, gt=0, le=60)
