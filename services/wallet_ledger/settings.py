"""Configuration of the wallet-ledger service, from the environment."""

from pydantic import Field

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """`LENDERY_LEDGER_…` beside what every service has. Limits of the poster are per process."""

    ledger_batch_transactions: int = Field(500, ge=1, le=5_000)
    ledger_max_waiting: int = Field(5_000, ge=1)
    ledger_give_up_seconds: float = Field(30.0, gt=0)
    ledger_block_transactions: int = Field(10_000, ge=1, description="Transactions sealed together at most")
