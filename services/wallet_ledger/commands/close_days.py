"""Keep what each account had at the end of each day that is over."""

from services.wallet_ledger.context import Context
from services.wallet_ledger.store.day_balances import DayBalances

_TRANSACTIONS_A_STRETCH, _TRANSFERS_A_STRETCH = 20_000, 100_000
_STRETCHES_A_RUN = 200


async def close_days(context: Context) -> None:
    """Take in what is due; one transaction each, so that an interruption costs one stretch."""
    for _ in range(_STRETCHES_A_RUN):
        async with context.unit_of_work() as work:
            days = DayBalances(work.connection)
            stretch = await days.next_stretch(transactions=_TRANSACTIONS_A_STRETCH, transfers=_TRANSFERS_A_STRETCH)
            if stretch is None:
                return
            await days.add(stretch)
