"""The poster's queue: bounded, in order for each sender, fair between senders."""

from dataclasses import dataclass

import pytest

from services.wallet_ledger.store.fair_queue import FairQueue, QueueFull


@dataclass(frozen=True)
class Item:
    scope: str
    number: int
    weight: int = 1


def queue_of(*items: Item, max_items: int = 1_000, max_weight: int = 1_000) -> FairQueue[Item]:
    queue: FairQueue[Item] = FairQueue(max_items=max_items, max_weight=max_weight)
    for item in items:
        queue.put(item)
    return queue


def taken(queue: FairQueue[Item], max_items: int = 100, max_weight: int = 1_000) -> list[tuple[str, int]]:
    return [(item.scope, item.number) for item in queue.take(max_items=max_items, max_weight=max_weight)]


async def test_a_flood_from_one_sender_delays_only_that_one() -> None:
    queue = queue_of(*(Item("flood", n) for n in range(50)), Item("ann", 1), Item("ben", 1), Item("ann", 2))
    assert taken(queue, 5) == [("flood", 0), ("ann", 1), ("ben", 1), ("flood", 1), ("ann", 2)]
    assert taken(queue, 2) == [("flood", 2), ("flood", 3)]


async def test_bounds() -> None:
    queue = queue_of(Item("a", 1), Item("a", 2), max_items=2)
    with pytest.raises(QueueFull):
        queue.put(Item("b", 1))
    heavy = queue_of(Item("a", 1, weight=9), max_weight=10)
    with pytest.raises(QueueFull):
        heavy.put(Item("b", 1, weight=2))
    heavy.put(Item("b", 1, weight=1))
    assert queue_of(Item("a", 1, weight=5_000), max_weight=10).weight == 5_000


async def test_a_batch_is_bounded_by_weight_unless_one_alone_is_heavier() -> None:
    queue = queue_of(Item("a", 1, 30), Item("b", 1, 5), Item("c", 1, 5), Item("d", 1, 5))
    assert taken(queue, max_weight=20) == [("a", 1)]
    assert taken(queue, max_weight=10) == [("b", 1), ("c", 1)]
    assert (queue.items, queue.weight) == (1, 5)


async def test_what_is_put_back_comes_first_and_in_order() -> None:
    queue = queue_of(Item("a", 1), Item("b", 1), Item("a", 2), Item("c", 1), Item("a", 3))
    batch = queue.take(max_items=3, max_weight=100)
    queue.put(Item("d", 1))
    queue.put_back(batch)
    assert taken(queue, 6) == [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("a", 2), ("a", 3)]
    assert (queue.items, queue.weight) == (0, 0)


async def test_what_is_unwanted_is_removed() -> None:
    queue = queue_of(Item("a", 1), Item("b", 2), Item("a", 3), Item("c", 4))
    assert {item.number for item in queue.remove(lambda item: item.number % 2 == 0)} == {2, 4}
    assert queue.items == 2
    assert taken(queue) == [("a", 1), ("a", 3)]
