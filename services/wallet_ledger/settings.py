"""Configuration of the wallet-ledger service, from the environment."""

from pydantic import Field, SecretStr, model_validator

from services.wallet_ledger.checkpoint_keys import CheckpointKeys, open_checkpoint_keys
from shared.settings import CommonSettings


class Settings(CommonSettings):
    """`LENDERY_LEDGER_…` beside what every service has. Limits of the poster are per process."""

    ledger_batch_transactions: int = Field(500, ge=1, le=5_000)
    ledger_max_waiting: int = Field(5_000, ge=1)
    ledger_give_up_seconds: float = Field(30.0, gt=0)
    ledger_block_transactions: int = Field(10_000, ge=1, description="Transactions sealed together at most")
    ledger_checkpoint_keys: SecretStr | None = Field(
        None, description="Keys that sign checkpoints: id:base64url of 32 random bytes, comma-separated, the first signs"
    )

    @model_validator(mode="after")
    def _check_checkpoint_keys(self) -> "Settings":
        self.checkpoint_keys()
        return self

    def checkpoint_keys(self) -> CheckpointKeys:
        """The keys that sign checkpoints; none in production unless they are given."""
        given = self.ledger_checkpoint_keys
        return open_checkpoint_keys(given.get_secret_value() if given else None, production=self.production)

    ledger_approval_hours: float = Field(72.0, gt=0, le=2_160, description="How long an adjustment waits for a second person")
    ledger_reversal_alone_minor: int = Field(
        100_000_000, ge=0, description="A reversal that moves more than this in one currency (minor units) needs a second person"
    )
