"""One account with everything that operators may want to know of it."""

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.account_state import AccountState
from services.wallet_ledger.domain.problems import AccountNotFound
from services.wallet_ledger.store.account_controls import AccountControls


async def account_state(context: Context, name: int | str) -> AccountState:
    """The account of this id or address. Raises `AccountNotFound`."""
    async with context.read() as connection:
        account = await AccountControls(connection).find(name, today=context.clock.now())
    if account is None:
        raise AccountNotFound("Use an id or an address of GET /v1/admin/ledger/accounts.")
    return account
