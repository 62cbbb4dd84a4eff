"""Events become feed entries and e-mails, each exactly once."""

import asyncio
from datetime import timedelta

import pytest

from services.notifications.domain.announcements import announcements_of
from services.notifications.store.contacts import open_contact
from shared.contracts.auth.user_events import EmailVerified, UserUpdated
from shared.contracts.payments.deposit_events import DepositSucceeded
from shared.messaging.envelope import Event
from shared.messaging.failures import Failure, classify
from shared.problems import ServiceUnavailable
from tests.service.notifications.conftest import Notifications
from tests.unit.notifications.samples import BORROWER, EVENTS, LENDER, registered, transfer, uuid

PEOPLE = ((BORROWER, "Amina Wanjiru"), (LENDER, "Otieno Odhiambo"))


async def test_each_event_is_told_once_though_delivered_many_times(notifications: Notifications) -> None:
    """Every event of the table, five times: three at once, and two later."""
    await notifications.know(*PEOPLE)
    envelopes = [(event, notifications.envelope(event)) for event in EVENTS]
    for event, envelope in envelopes:
        fresh = await asyncio.gather(*(notifications.handle(event, envelope) for _ in range(3)))
        assert fresh.count(True) == 1
    await notifications.deliver()
    for event, envelope in envelopes:
        assert not await notifications.handle(event, envelope)
        assert not await notifications.handle(event, envelope)
    await notifications.deliver()

    told = [(envelope.id, one) for event, envelope in envelopes for one in announcements_of(event)]
    rows = await notifications.owner.fetch("SELECT event_id, user_id, type FROM notifications.notifications")
    assert len(rows) == len(told)
    mailed = [pair for pair in told if "email" in pair[1].channels]
    assert len(notifications.mail.accepted) == len(mailed)
    assert len({message["Message-ID"] for message in notifications.mail.accepted}) == len(mailed)
    rows = await notifications.emails()
    assert {row["status"] for row in rows} == {"sent"}
    assert sorted(row["template"] for row in rows) == sorted(one.template for _, one in mailed)
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.inbox") == len(EVENTS) + len(PEOPLE)


async def test_who_was_forgotten_is_told_nothing(notifications: Notifications) -> None:
    """The made-up address that stands for them reaches nobody."""
    await notifications.know(*PEOPLE)
    gone = UserUpdated(
        user_id=LENDER, email=f"erased-{LENDER}@erased.invalid", full_name="Erased person", roles=["user"], status="closed"
    )
    await notifications.handle(gone)
    await notifications.handle(transfer())
    assert await notifications.feed(LENDER) == []
    assert len(await notifications.feed(BORROWER)) == 1
    assert [row["template"] for row in await notifications.emails()] == ["transfer_received"]


async def test_a_transfer_tells_both_people_each_their_part(notifications: Notifications) -> None:
    """The feed, the e-mails, and who gets which."""
    await notifications.know(*PEOPLE)
    await notifications.handle(transfer())
    await notifications.deliver()

    (sent,) = await notifications.feed(LENDER)
    (received,) = await notifications.feed(BORROWER)
    assert sent["title"] == "You sent KES 125.00"
    assert received["title"] == "You received KES 125.00"
    assert received["body"] == "Otieno Odhiambo sent you KES 125.00. It is in your wallet and you can use it."
    assert received["data"] == {
        "role": "receiver",
        "path": f"/wallets/{uuid(41)}",
        "transfer_id": str(uuid(50)),
        "description": "Lunch",
        "amount": 12_500,
        "currency": "KES",
    }
    assert (received["type"], received["read_at"]) == ("wallet_ledger.transfer.completed", None)
    assert received["created_at"] == "2026-01-31T12:00:00Z"
    letters = {str(message["To"]): message for message in notifications.mail.accepted}
    assert set(letters) == {"user1@example.org", "user2@example.org"}
    assert letters["user1@example.org"]["Subject"] == "You received KES 125.00"
    text = letters["user1@example.org"].get_body(("plain",))
    assert text is not None
    assert "Hello Amina Wanjiru," in text.get_content()
    assert f"https://lendery.example.org/wallets/{uuid(41)}" in text.get_content()


@pytest.mark.parametrize("unknown", [BORROWER, LENDER])
async def test_an_event_about_somebody_unknown_is_tried_again_and_not_lost(notifications: Notifications, unknown: object) -> None:
    """It fails in a way that passes, leaves nothing behind, and works once the person is known."""
    late = next(person for person in PEOPLE if person[0] == unknown)
    await notifications.know(*(person for person in PEOPLE if person != late))
    event = transfer()
    envelope = notifications.envelope(event)
    with pytest.raises(ServiceUnavailable) as failed:
        await notifications.handle(event, envelope)
    assert classify(failed.value) is Failure.MAY_PASS
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.notifications") == 0
    assert await notifications.emails() == []

    await notifications.know(late)
    assert await notifications.handle(event, envelope)
    assert len(await notifications.feed(BORROWER)) == len(await notifications.feed(LENDER)) == 1
    assert len(await notifications.emails()) == 2


async def test_contacts_follow_the_newest_event_whatever_the_order(notifications: Notifications) -> None:
    """An older event that comes late changes nothing."""
    now = notifications.clock.now()
    updated = UserUpdated(
        user_id=BORROWER, email="new@example.org", full_name="Amina W.", language="sw-KE", roles=["user"], status="active"
    )
    await notifications.handle(updated, notifications.envelope(updated, time=now + timedelta(seconds=5)))
    first = registered()
    await notifications.handle(first, notifications.envelope(first, time=now))
    row = await notifications.owner.fetchrow("SELECT user_id, email, full_name, language FROM notifications.contacts")
    assert b"Amina" not in row["full_name"]
    assert b"new@" not in row["email"]
    opened = open_contact(dict(row), notifications.service.context.vault)
    assert (opened["email"], opened["full_name"], opened["language"]) == ("new@example.org", "Amina W.", "sw-KE")

    verified = EmailVerified(user_id=BORROWER, email="newer@example.org")
    await notifications.handle(verified, notifications.envelope(verified, time=now + timedelta(seconds=9)))
    await notifications.deliver()
    assert [str(message["To"]) for message in notifications.mail.accepted] == ["newer@example.org"]


async def test_a_confirmed_address_of_somebody_unknown_waits(notifications: Notifications) -> None:
    """There is no name to go with it yet."""
    with pytest.raises(ServiceUnavailable):
        await notifications.handle(EmailVerified(user_id=BORROWER, email="amina@example.org"))
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.contacts") == 0


async def test_the_letters_of_one_person_go_out_in_order(notifications: Notifications) -> None:
    """As they were written, whatever the number of connections."""
    await notifications.know(*PEOPLE)
    events: list[Event] = [event for event in EVENTS if isinstance(event, DepositSucceeded)] * 30
    for number, event in enumerate(events):
        await notifications.handle(event.model_copy(update={"amount_minor": 100 + number}))
        notifications.clock.advance(timedelta(milliseconds=1))
    await notifications.deliver()
    assert notifications.mail.subjects() == [f"KES 1.{number:02} is in your wallet" for number in range(30)]


async def test_hostile_names_do_no_harm(notifications: Notifications) -> None:
    """Neither in headers nor in HTML."""
    await notifications.know((LENDER, 'X\r\nBcc: all@example.org\r\n\r\n<img src=x onerror=alert(1)>"'), PEOPLE[0])
    await notifications.handle(transfer())
    await notifications.deliver()
    assert len(notifications.mail.accepted) == 2
    for message in notifications.mail.accepted:
        assert message["Bcc"] is None
        html = message.get_body(("html",))
        assert html is not None
        assert "<img" not in html.get_content()
