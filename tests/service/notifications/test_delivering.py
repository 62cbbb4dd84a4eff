"""E-mails on their way through a real SMTP server that has good and bad days."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifications.commands.deliver_emails import deliver_emails
from services.notifications.commands.forget_old_rows import KEEP_LETTERS, forget_old_rows
from services.notifications.jobs import JOBS
from services.notifications.providers.smtp.client import SmtpMailer
from services.notifications.providers.smtp.server import SmtpServer
from shared.contracts.notifications.message_commands import SendEmail, SendEmailV1
from shared.ids import new_id
from shared.jobs import JobRunner
from shared.messaging.failures import Failure, classify
from shared.messaging.purge import KEEP_HANDLED
from shared.problems import InvalidRequest
from tests.service.notifications.conftest import Notifications
from tests.service.notifications.mail_server import MailServer, accept, answer, take_it_and_hang_up, times
from tests.support.sealed_messages import sealed
from tests.unit.notifications.samples import EVENTS

LINK = "https://lendery.example.org/v1/auth/pages/verify-email?token=very-secret"
HERS = {"full_name": "Amina Wanjiru", "link": LINK}


def letter(
    notifications: Notifications,
    to: str = "amina@example.org",
    hours: float = 24,
    template: str = "verify_email",
    data: Mapping[str, str] = HERS,
) -> SendEmail:
    """What auth sends after a registration."""
    message_id = new_id()
    return SendEmail(
        message_id=message_id,
        template=template,
        sealed=sealed(message_id, {**data, "to": to}),
        expires_at=notifications.clock.now() + timedelta(hours=hours),
    )


async def test_a_letter_is_sent_once_and_its_secret_forgotten(notifications: Notifications) -> None:
    """Sealed while it waits, gone once it is sent."""
    asked = letter(notifications)
    envelope = notifications.envelope(asked)
    await notifications.handle(asked, envelope)
    (row,) = await notifications.emails()
    assert (row["status"], row["secret"], str(row["user_id"])) == ("pending", True, envelope.partitionkey)
    assert b"amina" not in row["recipient"]
    assert b"very-secret" not in row["content"]
    assert b"Amina" not in row["content"]
    on_its_way = asked.model_dump_json()
    assert not [word for word in ("very-secret", "Amina", "example.org") if word in on_its_way]

    await notifications.deliver()
    await notifications.deliver()
    (message,) = notifications.mail.accepted
    assert message["Message-ID"] == f"<{asked.message_id}@lendery.test>"
    assert message["To"] == "amina@example.org"
    text = message.get_body(("plain",))
    assert text is not None
    assert LINK in text.get_content()
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"], row["content"], row["failure"]) == ("sent", 1, None, None)


async def test_a_letter_in_clear_is_still_sent(notifications: Notifications) -> None:
    """A command of the version before, from an outbox that was full during an upgrade."""
    await notifications.handle(SendEmailV1(message_id=new_id(), template="verify_email", to="amina@example.org", data=HERS))
    await notifications.deliver()
    (message,) = notifications.mail.accepted
    assert message["To"] == "amina@example.org"
    text = message.get_body(("plain",))
    assert text is not None
    assert LINK in text.get_content()


async def test_the_same_letter_asked_for_twice_is_one(notifications: Notifications) -> None:
    """Even in two messages."""
    asked = letter(notifications)
    await asyncio.gather(*(notifications.handle(asked) for _ in range(4)))
    await notifications.deliver()
    assert len(notifications.mail.accepted) == len(await notifications.emails()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "amina@example.org\r\nBcc: all@example.org"},
        {"to": "a@b.example, c@d.example"},
        {"to": "nobody"},
        {"template": "no_such_template"},
        {"template": "../en/verify_email"},
        {"template": "layout.html"},
        {"data": {"full_name": "Amina"}, "template": "password_changed"},
        {"data": {"full_name": "Amina", "link": "javascript:alert(1)"}},
    ],
)
async def test_a_letter_that_cannot_be_written_is_refused_for_good(notifications: Notifications, changes: dict[str, Any]) -> None:
    """Straight to the dead letters: trying again would not help."""
    with pytest.raises(InvalidRequest) as refused:
        await notifications.handle(letter(notifications, **changes))
    assert classify(refused.value) is Failure.CANNOT_PASS
    assert "Amina" not in str(refused.value)
    assert await notifications.emails() == []
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.inbox") == 0


@pytest.mark.parametrize("stage", ["on_recipient", "on_data"])
async def test_greylisting_is_waited_out(notifications: Notifications, mail: MailServer, stage: str) -> None:
    """4xx: later, and no sooner than promised."""
    setattr(mail, stage, times(2, answer("450 4.2.0 amina@example.org greylisted")))
    await notifications.handle(letter(notifications))
    await notifications.deliver()
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"], row["failure"]) == ("pending", 1, "450 4.2.0")
    await notifications.deliver(after=timedelta(seconds=9))
    assert mail.offered == 1
    await notifications.deliver(after=timedelta(seconds=1))
    assert mail.offered == 2
    await notifications.deliver(after=timedelta(seconds=20))
    assert len(mail.accepted) == 1
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"], row["failure"]) == ("sent", 3, None)


@pytest.mark.parametrize("stage", ["on_recipient", "on_data"])
async def test_a_refusal_is_final_and_stops_nobody_else(notifications: Notifications, mail: MailServer, stage: str) -> None:
    """5xx: never again; the next letter goes through the same connection."""
    setattr(mail, stage, times(1, answer("550 5.1.1 amina@example.org does not exist")))
    await notifications.handle(letter(notifications))
    notifications.clock.advance(timedelta(seconds=1))
    await notifications.handle(letter(notifications))
    await notifications.deliver()
    await notifications.deliver(after=timedelta(days=2))
    first, second = await notifications.emails()
    assert (first["status"], first["failure"], first["content"]) == ("failed", "550 5.1.1", None)
    assert second["status"] == "sent"
    assert (mail.offered, mail.sessions, len(mail.accepted)) == (2, 1, 1)


async def test_a_lost_answer_means_the_same_message_again(notifications: Notifications, mail: MailServer) -> None:
    """The server may have it: the second has the same Message-ID, by which mail programs know it."""
    mail.on_data = times(1, take_it_and_hang_up)
    await notifications.handle(letter(notifications))
    await notifications.deliver()
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"]) == ("pending", 1)
    assert row["failure"] in {"SMTPServerDisconnected", "ConnectionResetError"}
    await notifications.deliver(after=timedelta(seconds=10))
    await notifications.deliver(after=timedelta(days=3))
    first, second = mail.accepted
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"]) == ("sent", 2)


async def test_a_server_that_is_down_costs_no_attempt_and_no_letter(notifications: Notifications, mail: MailServer) -> None:
    """Everything goes out when it is back."""
    await mail.stop()
    for number in range(7):
        await notifications.handle(letter(notifications, to=f"user{number}@example.org"))
    for _ in range(10):
        await notifications.deliver(after=timedelta(seconds=5))
    rows = await notifications.emails()
    assert {(row["status"], row["attempts"], row["failure"]) for row in rows} == {("pending", 0, "SMTPConnectError")}
    await mail.start()
    await notifications.deliver(after=timedelta(seconds=5))
    assert sorted(str(message["To"]) for message in mail.accepted) == [f"user{number}@example.org" for number in range(7)]
    assert {row["status"] for row in await notifications.emails()} == {"sent"}


async def test_a_wrong_password_is_mended_without_losing_letters(notifications: Notifications, mail: MailServer) -> None:
    """5xx at the login says nothing about the letter."""
    mail.login = ("lendery", "right")
    await notifications.handle(letter(notifications))
    for password, ended in (("wrong", ("pending", 0, "535 5.7.8")), ("right", ("sent", 1, None))):
        server = SmtpServer.parse(f"smtp://lendery:{password}@127.0.0.1:{mail.port}")
        mailer = SmtpMailer(server, hello_name="lendery.test", timeout_seconds=20)
        notifications.clock.advance(timedelta(seconds=5))
        await deliver_emails(replace(notifications.context, mailer=mailer))
        (row,) = await notifications.emails()
        assert (row["status"], row["attempts"], row["failure"]) == ended
    assert len(mail.accepted) == 1


async def test_without_the_tls_that_is_wanted_nothing_is_said(notifications: Notifications, mail: MailServer) -> None:
    """Neither the password nor the letter."""
    await notifications.handle(letter(notifications))
    server = SmtpServer.parse(f"smtp://lendery:right@127.0.0.1:{mail.port}?starttls=required")
    await deliver_emails(replace(notifications.context, mailer=SmtpMailer(server, hello_name="lendery.test", timeout_seconds=20)))
    (row,) = await notifications.emails()
    assert (row["status"], row["attempts"], row["failure"]) == ("pending", 0, "SMTPException")
    assert (mail.sessions, mail.offered) == (1, 0)


async def test_a_letter_past_its_time_is_not_sent(notifications: Notifications, mail: MailServer) -> None:
    """Its link would not work any more; nothing of it is kept."""
    mail.on_recipient = answer("451 4.3.0 busy")
    await notifications.handle(letter(notifications, hours=1))
    await notifications.handle(letter(notifications, hours=-1))
    for _ in range(10):
        await notifications.deliver(after=timedelta(minutes=10))
    mail.on_recipient = accept
    await notifications.deliver(after=timedelta(hours=1))
    rows = await notifications.emails()
    assert [(row["status"], row["failure"], row["content"]) for row in rows] == [("failed", "expired", None)] * 2
    assert mail.accepted == []


async def test_the_job_sends_without_being_asked(notifications: Notifications, mail: MailServer) -> None:
    """Two workers: each letter once."""
    for number in range(40):
        await notifications.handle(letter(notifications, to=f"user{number}@example.org"))
    runners = [JobRunner("notifications", notifications.context.database, notifications.context, JOBS) for _ in range(2)]
    for runner in runners:
        await runner.start()
    for _ in range(1200):
        await asyncio.sleep(0.05)
        if len(mail.accepted) >= 40:
            break
    await asyncio.sleep(0.7)
    for runner in runners:
        await runner.stop()
    assert len(mail.accepted) == 40
    assert mail.sessions <= 8


async def test_logs_name_no_person_and_no_secret(
    notifications: Notifications, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever went wrong."""
    caplog.set_level(logging.DEBUG, logger="services")
    caplog.set_level(logging.DEBUG, logger="shared")
    mail.on_recipient = times(1, answer("550 5.1.1 amina@example.org does not exist"))
    mail.on_data = times(1, take_it_and_hang_up)
    for _ in range(3):
        await notifications.handle(letter(notifications))
        await notifications.deliver()
    assert len([record for record in caplog.records if record.name.startswith("services.")]) == 2
    everything = "".join(str(vars(record)) for record in caplog.records)
    for secret in ("amina", "Amina", "very-secret"):
        assert secret not in everything


async def test_old_letters_are_forgotten(notifications: Notifications) -> None:
    """A month after the e-mail; what is not yet sent stays. Told again meanwhile, the event is known by one of the two."""
    person = UUID(int=1)
    await notifications.know((person, "Amina"))
    events = [event for event in EVENTS if event.type == "lending.loan.submitted"] * 2
    await notifications.handle(events[0])
    await notifications.deliver()
    await notifications.handle(events[1])
    notifications.clock.advance(timedelta(days=29))
    await forget_old_rows(notifications.context)
    first, second = await notifications.emails()
    assert (first["status"], second["status"]) == ("sent", "pending")
    notifications.clock.advance(timedelta(days=2))
    await forget_old_rows(notifications.context)
    assert [row["id"] for row in await notifications.emails()] == [second["id"]]
    assert KEEP_LETTERS < KEEP_HANDLED
