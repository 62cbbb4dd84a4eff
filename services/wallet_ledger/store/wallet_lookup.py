"""Finds wallets for many requests at once: while one query runs, whoever asks meanwhile is gathered for the next.

It is the reads' counterpart of the poster's group commit: under load a query answers dozens of requests, and nothing is
remembered, so nothing is ever out of date.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.store.wallets import WalletStore
from shared.db.database import Database


@dataclass(slots=True)
class _Question:
    wallet_ids: Collection[UUID]
    answer: "asyncio.Future[Mapping[UUID, Wallet]]"


class WalletLookup:
    """One for each process. At most one of its queries runs at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[_Question] = []
        self._answering: asyncio.Task[None] | None = None

    async def find(self, wallet_ids: Collection[UUID]) -> Mapping[UUID, Wallet]:
        """Those of these wallets that there are, and maybe others. They are read after this was called."""
        question = _Question(wallet_ids, asyncio.get_running_loop().create_future())
        self._asked.append(question)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer(), name="wallet lookup")
        return await question.answer

    async def _answer(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            try:
                async with self._database.read() as connection:
                    found = await WalletStore(connection).find_all({one for question in asked for one in question.wallet_ids})
            except Exception as error:
                for question in asked:
                    if not question.answer.done():
                        question.answer.set_exception(error)
            else:
                for question in asked:
                    if not question.answer.done():
                        question.answer.set_result(found)
