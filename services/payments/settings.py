"""Configuration of payments."""

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator

from shared.settings import CommonSettings

_PRODUCTION_COOLING_OFF_SECONDS = 24 * 60 * 60


class Settings(CommonSettings):
    """What payments reads from the environment.

    `sandbox_url` is where the sandbox provider is called (default: the public address); production has no sandbox, so its
    secret is none there. `provider_timeout_seconds` bounds one call of a provider. `payout_cooling_off_seconds` is how long
    nothing is paid to a destination that somebody has just saved, and whether payouts go to saved ones only, which they do
    unless it is 0 (default: a day in production, else 0; see ADR 0026).
    """

    encryption_keys: SecretStr | None = None
    sandbox_url: str | None = None
    sandbox_secret: SecretStr = SecretStr("sandbox-local-only")
    provider_timeout_seconds: float = Field(10.0, gt=0, le=60)
    payout_cooling_off_seconds: int | None = Field(None, ge=0, le=30 * 24 * 60 * 60)

    @field_validator("payout_cooling_off_seconds", mode="before")
    @classmethod
    def _nothing_is_the_default(cls, given: object) -> object:
        """A compose file hands over what nobody has set as nothing."""
        return given or None if isinstance(given, str) else given

    @property
    def payout_cooling_off(self) -> timedelta:
        """How long nothing is paid to a destination that somebody has just saved."""
        usual = _PRODUCTION_COOLING_OFF_SECONDS if self.production else 0
        return timedelta(seconds=usual if self.payout_cooling_off_seconds is None else self.payout_cooling_off_seconds)
