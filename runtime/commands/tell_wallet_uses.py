"""`lendery tell-wallet-uses`: lending says again which wallets its loans and investments count on."""


def tell_wallet_uses() -> None:
    """Have lending tell again which wallets it counts on.

    For wallets that cannot be closed because of a loan or an investment that has ended long ago (409 wallet_in_use). Every loan
    and investment that there ever was is told of; the ledger takes it in as soon as the platform runs. Telling it twice does no
    harm, and the platform may run meanwhile.

    Uses DATABASE_URL; without it, the local database.
    """
    import asyncio

    from runtime.console import out, progress
    from runtime.database import database_url

    with progress() as say, database_url(say) as url:
        told = asyncio.run(_tell(url))
    out().print(f"Uses of wallets told: {told:,}")


async def _tell(url: str) -> int:
    from runtime.database import explained
    from runtime.services import read_environment
    from runtime.settings import read_settings
    from services.lending.commands.tell_wallet_uses import tell_wallet_uses as tell
    from services.lending.settings import Settings
    from services.lending.store.unit_of_work import UnitOfWork
    from shared.clock import SystemClock
    from shared.db.database import Database, role_of

    vault = read_environment(Settings).open_vault()
    database = Database(url, schema="lending", role=role_of("lending", read_settings().db_role_prefix), pool_size=1)
    try:
        return await tell(lambda: UnitOfWork(database, SystemClock(), vault))
    except Exception as error:
        raise explained(url, error) from None
    finally:
        await database.dispose()
