"""Text messages: taken, refused, delayed, lost, and never readable where they wait."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from services.notifications.commands.deliver_texts import deliver_texts
from services.notifications.context import Context
from services.notifications.main import build
from services.notifications.settings import Settings
from shared.clock import FixedClock
from shared.contracts.notifications.message_commands import SendSms, SendSmsV1
from shared.ids import new_id
from shared.problems import InvalidRequest
from tests.service.notifications.africastalking_server import SmsServer, recipient, running_sms_server, without_recipients
from tests.service.notifications.conftest import START, Notifications
from tests.service.notifications.mail_server import MailServer
from tests.support.identity import platform_for_tests
from tests.support.sealed_messages import sealed

NUMBER = "+254712345678"
CODE = "804213"


def code_message(to: str = NUMBER, **changes: Any) -> SendSms:
    message_id = new_id()
    content = sealed(message_id, {"code": CODE, "to": to})
    values = {"template": "login_code", "sealed": content, "expires_at": START + timedelta(minutes=10), **changes}
    return SendSms(message_id=message_id, **values)


@dataclass
class Phone:
    """The service with Africa's Talking beside it."""

    notifications: Notifications
    server: SmsServer

    async def deliver(self, *, after: timedelta = timedelta()) -> None:
        self.notifications.clock.advance(after)  # type: ignore[attr-defined]
        await deliver_texts(self.notifications.context)

    async def rows(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.notifications.owner.fetch("SELECT * FROM notifications.texts ORDER BY id")]


@pytest.fixture
async def phone(database_url: str, owner: asyncpg.Connection, mail: MailServer) -> AsyncIterator[Phone]:
    async with running_sms_server() as server:
        clock = FixedClock(START)
        settings = Settings(
            database_url=SecretStr(database_url),
            smtp_url=SecretStr(f"smtp://127.0.0.1:{mail.port}"),
            sms_url=SecretStr(server.url),
            sms_timeout_seconds=2,
        )
        service = build(settings, platform_for_tests(clock))
        assert service.resources is not None
        transport = httpx.ASGITransport(app=service.app)
        async with service.resources(), httpx.AsyncClient(transport=transport, base_url="http://notifications") as http:
            yield Phone(Notifications(service, clock, http, owner, mail), server)
        await service.database.dispose()


async def test_a_code_arrives_and_is_forgotten_at_once(phone: Phone) -> None:
    message = code_message()
    assert await phone.notifications.handle(message)
    (waiting,) = await phone.rows()
    assert CODE.encode() not in bytes(waiting["content"])
    assert NUMBER.encode() not in bytes(waiting["content"])
    await phone.deliver()
    ((number, words),) = phone.server.taken
    assert (number, CODE in words, len(words) <= 160) == (NUMBER, True, True)
    (row,) = await phone.rows()
    assert (row["status"], row["content"], row["attempts"]) == ("sent", None, 1)
    assert row["reference"].startswith("ATXid_")
    assert CODE not in message.model_dump_json()
    assert NUMBER not in message.model_dump_json()


async def test_a_code_whose_number_was_in_clear_is_still_sent(phone: Phone) -> None:
    """A command of the version before, from an outbox that was full during an upgrade."""
    message_id = new_id()
    expires_at = START + timedelta(minutes=10)
    content = sealed(message_id, {"code": CODE})
    old = SendSmsV1(message_id=message_id, template="login_code", to=NUMBER, sealed=content, expires_at=expires_at)
    assert await phone.notifications.handle(old)
    await phone.deliver()
    ((number, words),) = phone.server.taken
    assert (number, CODE in words) == (NUMBER, True)


async def test_a_command_that_comes_twice_is_sent_once(phone: Phone) -> None:
    message = code_message()
    envelope = phone.notifications.envelope(message)
    assert [await phone.notifications.handle(message, envelope) for _ in range(2)] == [True, False]
    assert await phone.notifications.handle(message)  # the same message in another envelope
    await phone.deliver()
    assert len(phone.server.taken) == 1


@pytest.mark.parametrize(("code", "status"), [(403, "InvalidPhoneNumber"), (406, "UserInBlacklist"), (407, "CouldNotRoute")])
async def test_a_refusal_inside_a_201_is_final(phone: Phone, code: int, status: str) -> None:
    phone.server.behave = lambda server, number: recipient(number, code, status)
    await phone.notifications.handle(code_message())
    await phone.deliver()
    await phone.deliver(after=timedelta(minutes=2))
    (row,) = await phone.rows()
    assert (row["status"], row["failure"], row["content"]) == ("failed", str(code), None)
    assert phone.server.offered == 1


@pytest.mark.parametrize(
    "trouble",
    [
        lambda server, number: web.Response(status=503, text="<html>down</html>"),
        lambda server, number: web.Response(status=429),
        lambda server, number: web.Response(status=201, text="<html>maintenance</html>"),
        lambda server, number: recipient(number, 500, "InternalServerError"),
        lambda server, number: recipient(number, 499, "SomethingNew"),
        lambda server, number: recipient(number, 405, "InsufficientBalance"),
        lambda server, number: without_recipients("InvalidSenderId"),
        lambda server, number: without_recipients("Something else"),
    ],
)
async def test_trouble_is_waited_out(phone: Phone, trouble: Any) -> None:
    phone.server.behave = trouble
    await phone.notifications.handle(code_message())
    await phone.deliver()
    (row,) = await phone.rows()
    assert (row["status"], row["attempts"]) == ("pending", 1)
    assert NUMBER not in row["failure"]
    phone.server.behave = None
    await phone.deliver()  # not before its time
    assert phone.server.offered == 1
    await phone.deliver(after=timedelta(seconds=5))
    assert [row["status"] for row in await phone.rows()] == ["sent"]


async def test_a_lost_answer_means_the_same_code_again(phone: Phone) -> None:
    phone.server.lose_answer = True
    await phone.notifications.handle(code_message())
    await phone.deliver()
    await phone.deliver(after=timedelta(seconds=5))
    assert len(phone.server.taken) == 2
    assert len(set(phone.server.taken)) == 1


async def test_a_server_that_does_not_answer_holds_nobody_up(phone: Phone) -> None:
    phone.server.hang = True
    for number in ("+254712345678", "+254722000000"):
        await phone.notifications.handle(code_message(number))
    await phone.deliver()
    assert [row["failure"] for row in await phone.rows()] == ["ReadTimeout"] * 2
    phone.server.hang = False
    await phone.deliver(after=timedelta(seconds=5))
    assert [number for number, _ in phone.server.taken] == ["+254712345678", "+254722000000"]


async def test_a_code_past_its_time_is_not_sent(phone: Phone) -> None:
    phone.server.behave = lambda server, number: web.Response(status=503)
    await phone.notifications.handle(code_message())
    await phone.deliver()
    phone.server.behave = None
    await phone.deliver(after=timedelta(minutes=10))
    (row,) = await phone.rows()
    assert (row["status"], row["failure"], row["content"]) == ("failed", "expired", None)
    assert phone.server.taken == []


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "12345"},
        {"to": "+254712345678,+254722000000"},
        {"template": "no_such"},
        {"sealed": ""},
        {"sealed": "bm90IHNlYWxlZA=="},
        {"sealed": "not base64"},
        {"sealed": sealed(new_id(), {"code": CODE, "to": NUMBER})},
    ],
)
async def test_what_cannot_be_sent_is_refused_for_good(phone: Phone, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await phone.notifications.handle(code_message(**changes))
    assert CODE not in str(refusal.value)
    assert await phone.rows() == []


async def test_on_a_laptop_the_mailbox_shows_it(notifications: Notifications) -> None:
    await notifications.handle(code_message())
    context: Context = notifications.context
    await deliver_texts(context)
    (letter,) = notifications.mail.accepted
    assert letter["To"] == f"{NUMBER}@sms.lendery.test"
    assert letter["Subject"] == f"SMS to {NUMBER}"
    assert CODE in letter.get_content()
