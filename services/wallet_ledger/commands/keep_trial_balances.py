"""Keep the trial balance at the end of each day, and in between wherever a lot was posted."""

from services.wallet_ledger.context import Context
from services.wallet_ledger.store.trial_balances import TrialBalances

_TRANSACTIONS_A_POINT, _TRANSFERS_A_POINT = 20_000, 100_000
_POINTS_A_RUN = 200


async def keep_trial_balances(context: Context) -> None:
    """Keep what is due; one transaction each, so that an interruption costs one point."""
    empty_until = 0
    for _ in range(_POINTS_A_RUN):
        async with context.unit_of_work() as work:
            balances = TrialBalances(work.connection)
            due = await balances.next_point(
                context.clock.now(), empty_until, transactions=_TRANSACTIONS_A_POINT, transfers=_TRANSFERS_A_POINT
            )
            if due is None:
                return
            # Where a journal begins with nothing but rejections there is nothing to keep of them.
            if await balances.add(*due) == 0:
                empty_until = due[1]
