"""Where the ledger stands, and whether it still stands where it once did."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.checkpoint import Checkpoint
from services.wallet_ledger.domain.problems import NothingSealed
from services.wallet_ledger.queries.verify_totals import nothing_to_walk
from services.wallet_ledger.store.blocks import BlockStore
from services.wallet_ledger.store.trial_balances import TrialBalances
from shared.clock import Clock
from shared.verification import Check, Walk

_NAMES = ("debits", "credits", "pending_debits", "pending_credits")


async def newest_checkpoint(context: Context) -> Checkpoint:
    """Up to the newest block. Raises `NothingSealed`."""
    async with context.read() as connection:
        checkpoint = await _checkpoint(connection, context.clock)
    if checkpoint is None:
        raise NothingSealed("The first block is sealed some seconds after the first transaction.", headers={"Retry-After": "10"})
    return checkpoint


def taking_checkpoint(clock: Clock, taken: list[Checkpoint]) -> Check:
    """A check that finds nothing, but puts the newest checkpoint of the very snapshot that is verified into `taken`."""

    async def take(walk: Walk) -> None:
        checkpoint = await _checkpoint(walk.connection, clock)
        taken.extend([checkpoint] if checkpoint is not None else [])

    return Check("taking the checkpoint", take, nothing_to_walk)


def comparing_with(checkpoint: Checkpoint) -> Check:
    """A check that the ledger goes on from a checkpoint: it has the same block, and came to the same sums there."""

    async def compare(walk: Walk) -> None:
        where = f"block {checkpoint.block}, up to transaction {checkpoint.sequence}"
        blocks = await BlockStore(walk.connection).following(checkpoint.block - 1, 1)
        block = next((block for block in blocks if block.number == checkpoint.block), None)
        if block is None:
            walk.fault(where, "it is in the checkpoint, and not in the ledger", position=checkpoint.sequence)
        elif (block.last_sequence, block.hash) != (checkpoint.sequence, checkpoint.block_hash):
            what = f"it ends at transaction {block.last_sequence} with hash {block.hash.hex()}; in the checkpoint the hash is"
            walk.fault(where, f"{what} {checkpoint.block_hash.hex()}", position=checkpoint.sequence)
        elif await _totals(walk.connection, checkpoint.sequence) != checkpoint.trial_balance:
            walk.fault(where, "the trial balance is another than in the checkpoint", position=checkpoint.sequence)

    return Check("checkpoint", compare, nothing_to_walk)


async def _checkpoint(connection: AsyncConnection, clock: Clock) -> Checkpoint | None:
    block = await BlockStore(connection).last()
    if block is None:
        return None
    totals = await _totals(connection, block.last_sequence)
    return Checkpoint(clock.now(), block.last_sequence, block.number, block.hash, totals)


async def _totals(connection: AsyncConnection, sequence: int) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {}
    for line in await TrialBalances(connection).after_transaction(sequence):
        so_far = totals.setdefault(line.currency, dict.fromkeys(_NAMES, 0))
        for name in _NAMES:
            so_far[name] += getattr(line, f"{name}_minor")
    return totals
