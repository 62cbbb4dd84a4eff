"""Configuration of the sandbox provider."""

from pydantic import SecretStr, model_validator

from shared.settings import CommonSettings

SANDBOX_LOCAL_SECRET = "sandbox-local-only"  # noqa: S105 a laptop's convenience; production has no sandbox


class SandboxSettings(CommonSettings):
    """What the sandbox provider reads from the environment.

    `sandbox_secret` is shared with the platform; `sandbox_webhook_url` is where events go (default: the platform's
    public address).
    """

    sandbox_secret: SecretStr = SecretStr(SANDBOX_LOCAL_SECRET)
    sandbox_webhook_url: str | None = None

    @model_validator(mode="after")
    def _never_in_production(self) -> "SandboxSettings":
        if self.production:
            raise ValueError("the sandbox payment provider is refused when LENDERY_ENV=production")
        return self

    @property
    def webhook_url(self) -> str:
        """Where events are sent."""
        return self.sandbox_webhook_url or f"{self.public_url}/v1/webhooks/sandbox"
