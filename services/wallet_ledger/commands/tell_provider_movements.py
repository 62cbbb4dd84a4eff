"""Tell what the journal moved of providers' accounts: who reconciles with a provider compares it with what that one reports.

It follows the journal rather than the poster: telling costs posting nothing, and nothing is told that is not committed.
"""

from services.wallet_ledger.context import Context
from services.wallet_ledger.store.provider_movements import ProviderMovements

_TRANSACTIONS_AT_ONCE = 2_000


async def tell_provider_movements(context: Context) -> None:
    """Tell everything up to the end of the journal, some at a time."""
    while True:
        async with context.unit_of_work() as work:
            moved = await ProviderMovements(work.connection).take(_TRANSACTIONS_AT_ONCE)
            for movement in moved or ():
                work.outbox.publish(movement, aggregate_id=movement.account)
        if moved is None:
            return
