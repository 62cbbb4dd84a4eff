"""Check of blocks: each follows the one before, and its rows still have the hash under which they were sealed."""

from services.wallet_ledger.store.blocks import FIRST_PREVIOUS_HASH, MARK_BYTES, Block, BlockStore
from shared.verification import Walk

_BLOCKS_A_FETCH = 20


async def size_of_blocks(walk: Walk) -> int:
    """How many transactions are sealed."""
    return int((await walk.one("SELECT coalesce(max(last_sequence), 0) FROM blocks"))[0])


async def check_blocks(walk: Walk) -> None:
    """Walk the chain; where rows are not those that were sealed, the marks of the rows say which."""
    blocks = BlockStore(walk.connection)
    walk.counts["blocks"], number, last, previous_hash = 0, 0, 0, FIRST_PREVIOUS_HASH
    while following := await blocks.following(number, _BLOCKS_A_FETCH):
        for block in following:
            digest = await blocks.digest(block.first_sequence, block.last_sequence, block.previous_hash)
            where = f"block {block.number} (transactions {block.first_sequence} to {block.last_sequence})"
            if (block.number, block.first_sequence, block.previous_hash) != (number + 1, last + 1, previous_hash):
                walk.fault(where, "it does not follow the one before", position=block.first_sequence)
                return
            if digest.hash != block.hash or digest.transfers != block.transfer_count:
                await _name_rows(walk, blocks, block, where)
                return
            if block.marks is not None and digest.marks != block.marks:
                walk.fault(
                    where, "its rows are those that were sealed, but their marks were changed", position=block.first_sequence
                )
                return
            number, last, previous_hash = block.number, block.last_sequence, block.hash
            walk.counts["blocks"] += 1
            walk.advance(block.last_sequence - block.first_sequence + 1)
    if last > int((await walk.one("SELECT coalesce(max(sequence), 0) FROM transactions"))[0]):
        walk.fault(f"block {number}", "transactions that were sealed are missing")


async def _name_rows(walk: Walk, blocks: BlockStore, block: Block, where: str) -> None:
    """Say which rows of a block are not those that were sealed."""
    what, position = "its rows are not those that were sealed", block.first_sequence
    rows = await blocks.marks(block.first_sequence, block.last_sequence)
    sealed = [] if block.marks is None else [block.marks[at : at + MARK_BYTES] for at in range(0, len(block.marks), MARK_BYTES)]
    if sealed and len(rows) != len(sealed):
        what += f": {len(rows)} rows, and {len(sealed)} were sealed"
    changed = [row for row, mark in zip(rows, sealed, strict=False) if row.mark != mark]
    if changed:
        position, first = changed[0].sequence, changed[0]
        where = f"transaction {first.sequence}{'' if first.position < 0 else f', position {first.position}'}, in {where}"
        others = [f"{row.sequence}/{row.position}" if row.position >= 0 else str(row.sequence) for row in changed[1:4]]
        if len(rows) != len(sealed):
            what += "; from this one on they are others"
        elif others:
            what += f": this one and {len(changed) - 1} more, at transaction " + ", ".join(others)
        else:
            what = "the row is not the one that was sealed"
    walk.fault(where, what, position=position)
