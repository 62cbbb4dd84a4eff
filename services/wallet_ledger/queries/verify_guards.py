"""Check of the database's own guards: what refuses edits is in place, and the service may not do what it must not."""

from services.wallet_ledger.store import verification as sql
from shared.verification import Walk


async def size_of_guards(_: Walk) -> int:
    """Next to nothing."""
    return 0


async def check_guards(walk: Walk) -> None:
    """Triggers and unique indexes are on, and the service's role can only read and add."""
    for name, what in await walk.rows(sql.GUARDS):
        walk.fault(name, what)
