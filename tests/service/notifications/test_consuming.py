"""Messages through the dispatcher: what is tried again, and what becomes a dead letter."""

import asyncio
from datetime import timedelta

from services.notifications.consumers import CONSUMERS
from shared.contracts.notifications.message_commands import SendEmail
from shared.ids import new_id
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.dispatcher import Dispatcher, Outcome
from shared.messaging.failures import Retries
from tests.service.notifications.conftest import Notifications
from tests.support.sealed_messages import sealed
from tests.unit.notifications.samples import BORROWER, LENDER, registered, transfer

QUICK = Retries(attempts_if_may_pass=100, first_delay_seconds=0.02, factor=1.5, longest_delay_seconds=0.2)


def _dispatcher(notifications: Notifications) -> Dispatcher:
    database = notifications.context.database
    return Dispatcher(
        "notifications", CONSUMERS, notifications.context, DeadLetters(database.engine, "notifications"), retries=QUICK
    )


async def test_an_event_that_overtakes_the_registration_is_told_after_it(notifications: Notifications) -> None:
    """Events of different people and services come in any order."""
    dispatcher = _dispatcher(notifications)
    event = notifications.envelope(transfer()).to_json()
    early = asyncio.create_task(dispatcher.dispatch(event))
    for user_id in (LENDER, BORROWER):
        await asyncio.sleep(0.05)
        assert await dispatcher.dispatch(notifications.envelope(registered(user_id)).to_json()) is Outcome.HANDLED
    assert await early is Outcome.HANDLED
    assert await dispatcher.dispatch(event) is Outcome.DUPLICATE
    feeds = [[entry["title"] for entry in await notifications.feed(user_id)] for user_id in (LENDER, BORROWER)]
    assert feeds == [["You sent KES 125.00", "Welcome to Lendery"], ["You received KES 125.00", "Welcome to Lendery"]]
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.dead_letters") == 0


async def test_a_letter_nobody_can_write_is_a_dead_letter_at_once(notifications: Notifications) -> None:
    """After one attempt, with an error that names no person."""
    message_id = new_id()
    asked = SendEmail(
        message_id=message_id,
        template="password_changed",
        sealed=sealed(message_id, {"to": "amina@example.org", "full_name": "Amina"}),
        expires_at=notifications.clock.now() + timedelta(days=1),
    )
    assert await _dispatcher(notifications).dispatch(notifications.envelope(asked).to_json()) is Outcome.DEAD
    row = await notifications.owner.fetchrow("SELECT type, attempts, error, envelope FROM notifications.dead_letters")
    assert (row["type"], row["attempts"]) == ("notifications.email.send", 1)
    assert "'changed_at' is undefined" in row["error"]
    assert "mina" not in row["error"] + row["envelope"]
    assert await notifications.emails() == []
