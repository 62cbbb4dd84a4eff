"""What every comparison of the ledger with its entries does: collect what differs, and prove the blocks."""

from services.wallet_ledger.domain.reconciliation import MISMATCHES_KEPT, Mismatch, SealedPoint
from services.wallet_ledger.store.blocks import FIRST_PREVIOUS_HASH, BlockStore

_BLOCKS_A_FETCH = 20


class Findings:
    """Mismatches so far: all are counted, the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Mismatch] = []

    def add(self, where: str, what: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < MISMATCHES_KEPT:
            self.first.append(Mismatch(where, what))


async def compare_blocks(blocks: BlockStore, since: SealedPoint | None, found: Findings) -> SealedPoint | None:
    """Hash the rows of every block after `since` (None: of all) anew; the newest block, if there is one."""
    number, previous_hash, last = 0, FIRST_PREVIOUS_HASH, 0
    if since is not None:
        known = await blocks.following(since.block_number - 1, 1)
        if not known or (known[0].number, known[0].hash) != (since.block_number, since.block_hash):
            found.add(f"block {since.block_number}", "it is not there as it was when it was last compared")
            return None
        number, previous_hash, last = known[0].number, known[0].hash, known[0].last_sequence
    while following := await blocks.following(number, _BLOCKS_A_FETCH):
        for block in following:
            where = f"block {block.number} (transactions {block.first_sequence} to {block.last_sequence})"
            if (block.number, block.first_sequence, block.previous_hash) != (number + 1, last + 1, previous_hash):
                found.add(where, "it does not follow the one before")
                return None
            digest = await blocks.digest(block.first_sequence, block.last_sequence, block.previous_hash)
            if digest.hash != block.hash or digest.transfers != block.transfer_count:
                found.add(where, "its rows are not those that were sealed")
            number, previous_hash, last = block.number, block.hash, block.last_sequence
    return SealedPoint(number, previous_hash) if number else None
