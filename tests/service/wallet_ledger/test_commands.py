"""Commands of other services: one effect and one event each, however often they are delivered."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.wallet_ledger.commands.post_transaction import post_transaction
from services.wallet_ledger.domain.problems import CommandContradicts
from shared.contracts.wallet_ledger.transaction_commands import (
    Hold,
    PostHoldGroup,
    PostTransaction,
    Transfer,
    VoidHold,
)
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from shared.messaging.inbox import AlreadyHandled
from tests.service.wallet_ledger.conftest import World

POSTED, REJECTED = "wallet_ledger.transaction.posted", "wallet_ledger.transaction.rejected"


def command(*entries: Any, key: str | None = None, transaction_id: UUID | None = None, **fields: Any) -> PostTransaction:
    return PostTransaction(
        transaction_id=transaction_id or new_id(),
        idempotency_key=key or str(new_id()),
        kind="deposit",
        entries=list(entries),
        **fields,
    )


def delivery_of(message: PostTransaction, source: str = "payments") -> Delivery[PostTransaction]:
    envelope = Envelope.of(
        message,
        id=new_id(),
        source=source,
        time=datetime.now(UTC),
        aggregate_id=message.transaction_id,
        correlation_id="what set it off",
    )
    return Delivery(envelope, message)


def deposit(account: str, amount_minor: int) -> Transfer:
    return Transfer(
        id=new_id(), debit_account="provider:sandbox:KES", credit_account=account, amount_minor=amount_minor, currency="KES"
    )


async def test_a_command_is_posted_and_answered(world: World) -> None:
    ann = await world.person()
    asked = command(deposit(ann.account, 5_000), reference="deposit:1")

    await post_transaction(world.context, delivery_of(asked))

    assert await world.balance(ann.account) == (5_000, 0)
    (told,) = await world.events(POSTED)
    assert told["transaction_id"] == str(asked.transaction_id)
    assert (told["requested_by"], told["reference"], told["kind"]) == ("payments", "deposit:1", "deposit")


async def test_a_command_delivered_again_and_again_has_one_effect(world: World) -> None:
    ann = await world.person()
    asked = delivery_of(command(deposit(ann.account, 5_000)))

    await asyncio.gather(*(post_transaction(world.context, asked) for _ in range(10)), return_exceptions=True)
    with pytest.raises(AlreadyHandled):
        await post_transaction(world.context, asked)

    assert await world.balance(ann.account) == (5_000, 0)
    told = await world.events(POSTED)
    assert len(told) == 2  # with the outcome, and once more for the message that came again
    assert told[0] == told[1]


async def test_whoever_asks_again_is_told_again(world: World) -> None:
    """The sender lost the answer: its deadline passed and it sent the same command in a new message."""
    ann = await world.person()
    asked, hopeless = command(deposit(ann.account, 5_000), reference="deposit:1"), command(VoidHold(hold_id=new_id()))
    for one in (asked, hopeless):
        await post_transaction(world.context, delivery_of(one))
    first = await world.events(POSTED), await world.events(REJECTED)

    for one in (asked, hopeless):
        await post_transaction(world.context, delivery_of(one))

    assert await world.events(POSTED) == first[0] * 2
    assert await world.events(REJECTED) == first[1] * 2
    assert await world.balance(ann.account) == (5_000, 0)


async def test_the_same_key_of_two_services_are_two_transactions(world: World) -> None:
    ann = await world.person()

    await post_transaction(world.context, delivery_of(command(deposit(ann.account, 5), key="k"), "payments"))
    await post_transaction(world.context, delivery_of(command(deposit(ann.account, 7), key="k"), "lending"))

    assert await world.balance(ann.account) == (12, 0)


async def test_a_rejected_command_is_answered(world: World) -> None:
    ann = await world.person()
    asked = delivery_of(command(VoidHold(hold_id=new_id()), deposit(ann.account, 5)))

    await post_transaction(world.context, asked)

    (told,) = await world.events(REJECTED)
    assert told["code"] == "hold_not_found"
    assert await world.balance(ann.account) == (0, 0)
    assert await world.events(POSTED) == []


async def test_a_reused_key_is_told_to_its_sender_once(world: World) -> None:
    ann = await world.person()
    await post_transaction(world.context, delivery_of(command(deposit(ann.account, 5), key="k")))
    other = delivery_of(command(deposit(ann.account, 6), key="k"))

    await post_transaction(world.context, other)
    with pytest.raises(AlreadyHandled):
        await post_transaction(world.context, other)

    (told,) = await world.events(REJECTED)
    assert (told["code"], told["transaction_id"]) == ("idempotency_key_reused", str(other.message.transaction_id))
    assert await world.balance(ann.account) == (5, 0)


async def test_an_outcome_is_never_contradicted(world: World) -> None:
    ann = await world.person()
    first = command(deposit(ann.account, 5), key="k")
    await post_transaction(world.context, delivery_of(first))
    changed = command(deposit(ann.account, 6), key="k", transaction_id=first.transaction_id)

    with pytest.raises(CommandContradicts):
        await post_transaction(world.context, delivery_of(changed))

    assert await world.events(REJECTED) == []
    assert await world.balance(ann.account) == (5, 0)


async def test_the_funding_of_a_loan_by_command(world: World) -> None:
    lender, borrower, loan = await world.person(10_000), await world.person(), new_id()
    hold = Hold(
        id=new_id(), group=f"loan:{loan}", debit_account=lender.account, credit_account=f"loan:{loan}:funding",
        amount_minor=10_000, currency="KES", kind="loan.investment", description="Investment", expires_at=datetime(2100, 1, 1),  # noqa: DTZ001
    )  # fmt: skip
    await post_transaction(world.context, delivery_of(command(hold), "lending"))
    net = Transfer(
        id=new_id(), debit_account=f"loan:{loan}:funding", credit_account=borrower.account, amount_minor=9_800, currency="KES"
    )
    fee = net.model_copy(update={"id": new_id(), "credit_account": "fees:KES", "amount_minor": 200})

    await post_transaction(world.context, delivery_of(command(PostHoldGroup(group=f"loan:{loan}"), net, fee), "lending"))

    assert await world.balance(lender.account) == (0, 0)
    assert await world.balance(borrower.account) == (9_800, 0)
    entries = (await world.client.get(f"/v1/wallets/{lender.wallet_id}/entries", headers=lender.headers)).json()["items"]
    assert [(entry["kind"], entry["amount"]) for entry in entries] == [("loan.investment", 10_000), ("test", 10_000)]


async def test_a_transaction_of_many_transfers(world: World) -> None:
    people = [await world.person() for _ in range(3)]
    entries = [deposit(people[n % 3].account, 1) for n in range(6_000)]

    await post_transaction(world.context, delivery_of(command(*entries)))

    assert [await world.balance(person.account) for person in people] == [(2_000, 0)] * 3
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transfers") == 6_000
