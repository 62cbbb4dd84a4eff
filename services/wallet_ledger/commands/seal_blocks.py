"""Seal what has been posted since the last time: blocks of the journal, each chained to the one before by SHA-256."""

import logging

from services.wallet_ledger.context import Context
from services.wallet_ledger.store.blocks import FIRST_PREVIOUS_HASH, Block, BlockStore

_log = logging.getLogger(__name__)
_TRANSFERS_A_BLOCK = 50_000
_BLOCKS_A_RUN = 200


async def seal_blocks(context: Context) -> None:
    """Seal some blocks; one transaction each, so that an interruption costs one block."""
    for _ in range(_BLOCKS_A_RUN):
        if not await _seal_one(context):
            return


async def _seal_one(context: Context) -> bool:
    async with context.unit_of_work() as work:
        blocks = BlockStore(work.connection)
        before = await blocks.last()
        number, after, previous_hash = (
            (before.number, before.last_sequence, before.hash) if before is not None else (0, 0, FIRST_PREVIOUS_HASH)
        )
        end = await blocks.next_end(after, transactions=context.settings.ledger_block_transactions, transfers=_TRANSFERS_A_BLOCK)
        if end is None:
            return False
        digest = await blocks.digest(after + 1, end, previous_hash)
        if digest.transactions != end - after:
            _log.critical("transactions are missing; not sealing", extra={"first": after + 1, "last": end})
            return False
        await blocks.add(Block(number + 1, after + 1, end, digest.transfers, previous_hash, digest.hash, digest.marks))
    return True
