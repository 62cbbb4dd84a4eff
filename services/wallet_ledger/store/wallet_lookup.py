"""Whose wallets are, for many requests at once.

Whose a wallet is and which currency it holds never changes, and wallets are closed, never deleted. So what was found once is
remembered, within a bound; what was not there is asked for again each time. While one query runs, whoever asks meanwhile is
gathered for the next: under load a query answers dozens of requests, as the poster's commits do.

What does change, whether a wallet is open and what is in it, is no business of this: the ledger decides by it when it posts.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from shared.db.database import Database

REMEMBERED_MAX = 50_000
"""About 20 MB."""

_FIND = "SELECT id, user_id, currency FROM wallets WHERE id = ANY ($1::uuid[])"


@dataclass(frozen=True, slots=True)
class OwnedWallet:
    """What is true of a wallet for ever."""

    id: UUID
    user_id: UUID
    currency: str


@dataclass(slots=True)
class _Question:
    wallet_ids: Collection[UUID]
    answer: "asyncio.Future[Mapping[UUID, OwnedWallet]]"


class WalletLookup:
    """One for each process. At most one of its queries runs at a time."""

    def __init__(self, database: Database, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._database = database
        self._remembered_max = remembered_max
        self._remembered: dict[UUID, OwnedWallet] = {}
        self._asked: list[_Question] = []
        self._answering: asyncio.Task[None] | None = None

    async def find(self, wallet_ids: Collection[UUID]) -> Mapping[UUID, OwnedWallet]:
        """Those of these wallets that there are, and maybe others. What is not remembered is read after this was called."""
        remembered = self._remembered
        unknown = [wallet_id for wallet_id in wallet_ids if wallet_id not in remembered]
        if not unknown:
            return remembered
        known = {wallet_id: remembered[wallet_id] for wallet_id in wallet_ids if wallet_id in remembered}
        question = _Question(unknown, asyncio.get_running_loop().create_future())
        self._asked.append(question)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer(), name="wallet lookup")
        return {**known, **await question.answer}

    async def _answer(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            try:
                rows = await self._database.fetch(_FIND, list({one for question in asked for one in question.wallet_ids}))
                found = {row[0]: OwnedWallet(*row) for row in rows}
            except Exception as error:
                for question in asked:
                    if not question.answer.done():
                        question.answer.set_exception(error)
            else:
                self._remember(found)
                for question in asked:
                    if not question.answer.done():
                        question.answer.set_result(found)

    def _remember(self, found: Mapping[UUID, OwnedWallet]) -> None:
        self._remembered.update(found)
        too_many = max(len(self._remembered) - self._remembered_max, 0)
        for oldest in list(islice(self._remembered, too_many)):
            del self._remembered[oldest]
