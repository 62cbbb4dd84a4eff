"""What operators see of the poster."""

from prometheus_client import Counter, Gauge, Histogram

from services.wallet_ledger.domain.book import BatchResult
from services.wallet_ledger.domain.transaction import Outcome

WAITING = Gauge("lendery_ledger_waiting_transactions", "Transactions waiting to be posted")
TURNED_AWAY = Counter("lendery_ledger_turned_away_total", "Transactions refused because too many were waiting")
TRANSACTIONS = Counter("lendery_ledger_transactions_total", "Transactions decided", ["outcome"])
TRANSFERS = Counter("lendery_ledger_transfers_total", "Rows added to the ledger's transfers")
BATCH_TRANSACTIONS = Histogram(
    "lendery_ledger_batch_transactions", "Transactions posted together", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
BATCH_SECONDS = Histogram(
    "lendery_ledger_batch_duration_seconds",
    "From holding the ledger's lock to the end of the commit",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
)


def batch_posted(result: BatchResult, seconds: float) -> None:
    """Count a batch that was committed."""
    BATCH_TRANSACTIONS.observe(len(result.outcomes))
    BATCH_SECONDS.observe(seconds)
    posted = rejected = 0
    for outcome in result.outcomes:
        if isinstance(outcome, Outcome) and outcome.posted:
            posted += 1
        else:
            rejected += 1
    TRANSACTIONS.labels("posted").inc(posted)
    TRANSACTIONS.labels("rejected").inc(rejected)
    TRANSFERS.inc(len(result.transfers))
