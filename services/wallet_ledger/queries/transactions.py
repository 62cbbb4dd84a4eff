"""Reads of transactions, by the people whose wallets they touch and by operators."""

from collections.abc import Sequence
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.journal import JournalTransaction, Posting
from services.wallet_ledger.domain.problems import TransactionNotFound
from services.wallet_ledger.store.journal import Journal
from services.wallet_ledger.store.own_postings import OwnPosting, OwnPostings
from services.wallet_ledger.store.transaction_search import Found, Search, TransactionSearch

SHOWN_POSTINGS = 1_000
"""How many postings of one transaction are shown at most."""


async def transaction_by_id(context: Context, transaction_id: UUID) -> tuple[JournalTransaction, Sequence[Posting]]:
    """A transaction and its first postings, for operators. Raises `TransactionNotFound`."""
    async with context.read() as connection:
        journal = Journal(connection)
        transaction = await journal.transaction(transaction_id)
        if transaction is None:
            raise TransactionNotFound("Check the id.")
        return transaction, await journal.postings(transaction_id, limit=SHOWN_POSTINGS)


async def own_transaction(
    context: Context, user_id: UUID, transaction_id: UUID
) -> tuple[JournalTransaction, Sequence[OwnPosting]]:
    """A transaction that touches a person's wallets, with the postings that do. Raises `TransactionNotFound`."""
    async with context.read() as connection:
        transaction = await Journal(connection).transaction(transaction_id)
        if transaction is not None:
            own = await OwnPostings(connection).of(transaction.sequence, user_id, SHOWN_POSTINGS)
            if own or transaction.initiated_by == user_id:
                return transaction, own
    raise TransactionNotFound("Check the id; it must be of a transaction that touches one of your wallets.")


async def search_transactions(context: Context, search: Search, before: int | None, limit: int) -> Found:
    """Transactions before sequence `before` that match, newest first."""
    async with context.read() as connection:
        return await TransactionSearch(connection).find(search, before, limit)
