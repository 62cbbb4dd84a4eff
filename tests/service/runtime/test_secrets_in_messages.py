"""Who can read messages where they are kept or pass learns no link, no code, no address and no number, on both transports.

Everything that auth has written or texted is played, and each letter is read at its addressee's; then all that was written
down on the way is searched for what only the addressee should know.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import aio_pika
import asyncpg
import httpx
import pytest
from aio_pika.abc import AbstractIncomingMessage

from services.auth.commands.tell_user import send_mail
from services.auth.domain.sent_code import CODE_LIFETIME
from services.auth.main import build as build_auth
from services.auth.settings import Settings as AuthSettings
from services.notifications.commands.deliver_emails import deliver_emails
from services.notifications.commands.deliver_texts import deliver_texts
from services.notifications.main import build as build_notifications
from services.notifications.settings import Settings as NotificationsSettings
from shared.clock import SystemClock
from shared.contracts.notifications.message_commands import SendEmail, SendSms
from shared.messaging.envelope import Envelope
from shared.messaging.local import LocalTransport
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.topology import Topology
from shared.messaging.transport import Transport
from shared.messaging.worker import MessagingWorker
from shared.service import Platform, Service
from tests.service.notifications.mail_server import MailServer, running_mail_server
from tests.support.identity import OneKeyVerifier
from tests.support.platforms import remove_queues

NAME, PASSWORD, ANOTHER = "Zawadi Makena", "a long enough secret", "another long enough secret"
OLD, NEW, NUMBER = "zawadi@example.org", "makena@example.org", "+254712345678"
WRITTEN = ("outbox", "inbox", "dead_letters")
_PATIENCE = 600


class Overheard(LocalTransport):
    """The local transport, with somebody who writes down what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[str] = []

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        self.bodies.append(envelope.to_json().decode())
        await super().publish(envelope, consumer=consumer)


class Spied(RabbitTransport):
    """RabbitMQ, with a queue that gets a copy of every message."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix=prefix)
        self.bodies: list[str] = []

    async def listen_in(self, url: str, exits: AsyncExitStack) -> None:
        """From now on, on a connection of its own."""
        topology = Topology(self.topology.prefix)
        connection = await exits.enter_async_context(await aio_pika.connect(url))
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(topology.events, routing_key="#")
        for command in (SendEmail, SendSms):
            await queue.bind(topology.commands, routing_key=command.type)
        await queue.consume(self._note, no_ack=True)

    async def _note(self, message: AbstractIncomingMessage) -> None:
        self.bodies.append(message.body.decode())


@dataclass
class Stage:
    """Auth, notifications and somebody's mailbox and phone."""

    auth: Service
    notifications: Service
    http: httpx.AsyncClient
    mail: MailServer
    transport: Any
    read: list[str] = field(default_factory=list)

    async def letter(self, to: str) -> str:
        """The next letter or text message that reaches this address or number."""
        for _ in range(_PATIENCE):
            await deliver_emails(self.notifications.context)
            await deliver_texts(self.notifications.context)
            for position, message in enumerate(self.mail.accepted):
                if to in str(message["To"]):
                    return _words_of(self.mail.accepted.pop(position))
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing came for {to}")

    async def link(self, to: str) -> str:
        """The token of the link in the next letter."""
        return self._read(r"token=([\w-]{40,})", await self.letter(to))

    async def code(self, to: str) -> str:
        """The code in the next letter or message."""
        return self._read(r"(?<!\d)(\d{6})(?!\d)", await self.letter(to))

    def _read(self, what: str, words: str) -> str:
        found = re.search(what, words)
        assert found is not None, words
        self.read.append(found[1])
        return found[1]

    async def post(self, path: str, body: dict[str, Any] | None = None, tokens: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"} if tokens else {}
        answer = await self.http.post(f"/v1/auth{path}", json=body or {}, headers=headers)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else None


def _words_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return f"{message['Subject']}\n{body.get_content()}"


@pytest.fixture(params=["local", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    if request.param == "local":
        yield Overheard()
        return
    url, prefix = request.getfixturevalue("amqp_url"), f"lendery-test-{secrets.token_hex(6)}"
    async with AsyncExitStack() as exits:
        exits.push_async_callback(remove_queues, url, prefix)
        spied = Spied(url, prefix)
        spied.opened = lambda: spied.listen_in(url, exits)  # type: ignore[attr-defined]
        yield spied


@pytest.fixture
async def stage(database_url: str, transport: Any) -> AsyncIterator[Stage]:
    clock, everybody = SystemClock(), OneKeyVerifier()
    common: dict[str, Any] = {"env": "test", "database_url": database_url}
    async with AsyncExitStack() as exits:
        mail = await exits.enter_async_context(running_mail_server())
        cheap = {"auth_hash_memory_kib": 8, "auth_hash_rounds": 1, "auth_quiet_seconds": 0}
        auth = build_auth(AuthSettings(**common, **cheap), Platform(clock, everybody))
        posts = NotificationsSettings(**common, smtp_url=f"smtp://127.0.0.1:{mail.port}")
        notifications = build_notifications(posts, Platform(clock, everybody))
        for service in (auth, notifications):
            assert service.resources is not None
            exits.push_async_callback(service.database.dispose)
            await exits.enter_async_context(service.resources())
        worker = MessagingWorker(transport, [auth, notifications])
        await worker.start()
        exits.push_async_callback(worker.stop, drain_seconds=2)
        if opened := getattr(transport, "opened", None):
            await opened()
        inside = httpx.ASGITransport(auth.app, client=("203.0.113.7", 4711))
        http = await exits.enter_async_context(httpx.AsyncClient(transport=inside, base_url="http://auth.internal"))
        yield Stage(auth, notifications, http, mail, transport)


async def play(stage: Stage) -> None:
    """Every flow that writes or texts something, but for single sign-on and leaving, which use the same two functions."""
    person = {"email": OLD, "password": PASSWORD, "full_name": NAME}
    await stage.post("/register", person)
    await stage.post("/email/verify", {"token": await stage.link(OLD)})
    await stage.letter(OLD)  # that the address is confirmed
    await stage.post("/register", person)
    assert "already have an account" in await stage.letter(OLD)
    tokens = await stage.post("/login", {"email": OLD, "password": PASSWORD})

    await stage.post("/mfa/sms", {"phone": NUMBER}, tokens)
    await stage.post("/mfa/sms/confirm", {"code": await stage.code(NUMBER)}, tokens)
    await stage.letter(OLD)  # that there is a new factor
    await stage.post("/password/forgot", {"email": OLD})
    await stage.post("/password/reset", {"token": await stage.link(OLD), "new_password": ANOTHER})
    await stage.letter(OLD)  # that the password was changed

    step = await stage.post("/login", {"email": OLD, "password": ANOTHER})
    proof = {"mfa_token": step["mfa_token"], "method": "sms", "code": await stage.code(NUMBER)}
    tokens = await stage.post("/login/mfa", proof)
    await stage.post("/mfa/email", None, tokens)
    await stage.post("/mfa/email/confirm", {"code": await stage.code(OLD)}, tokens)
    await stage.letter(OLD)  # that there is a new factor
    step = await stage.post("/login", {"email": OLD, "password": ANOTHER})
    await stage.post("/login/mfa/challenge", {"mfa_token": step["mfa_token"], "method": "email"})
    proof = {"mfa_token": step["mfa_token"], "method": "email", "code": await stage.code(OLD)}
    tokens = await stage.post("/login/mfa", proof)
    await stage.post("/email/change", {"email": NEW}, tokens)
    await stage.post("/email/change/confirm", {"token": await stage.link(NEW)})


async def fail(stage: Stage) -> None:
    """A letter of which there is no template becomes a dead letter, with a link in it."""
    link = "https://lendery.example.org/v1/auth/pages/verify-email?token=" + secrets.token_urlsafe(32)
    stage.read.append(link.rpartition("=")[2])
    async with stage.auth.context.unit_of_work() as work:
        user = await work.users.find_by_email(NEW)
        send_mail(work, user, "no_such_template", expires_in=CODE_LIFETIME, link=link)


async def written_down(owner: asyncpg.Connection) -> str:
    """The rows of messages in every schema, once nothing is under way any more."""
    for _ in range(_PATIENCE):
        waiting = "SELECT count(*) FROM auth.outbox WHERE published_at IS NULL"
        dead = "SELECT count(*) FROM notifications.dead_letters"
        if await owner.fetchval(waiting) == 0 and await owner.fetchval(dead) == 1:
            break
        await asyncio.sleep(0.05)
    rows = [
        row["line"]
        for schema in ("auth", "notifications")
        for table in WRITTEN
        for row in await owner.fetch(f"SELECT t::text AS line FROM {schema}.{table} t")
    ]
    return "\n".join(rows)


async def test_nobody_on_the_way_learns_anything(
    stage: Stage, owner: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for somebody_elses in ("mail.log", "aiormq", "aio_pika", "asyncio"):
        caplog.set_level(logging.WARNING, somebody_elses)
    await play(stage)
    await fail(stage)
    kept = await written_down(owner)
    passed = "\n".join(stage.transport.bodies)
    logged = "\n".join(str(record.__dict__) for record in caplog.records)

    person = str(await owner.fetchval("SELECT id FROM auth.users WHERE 'admin' <> ALL (roles)"))
    for place in (kept, passed):
        assert person in place, "who looks finds what is there"
        for message in ("notifications.email.send", "notifications.sms.send", "auth.user.registered", "auth.user.updated"):
            assert message in place, message
    assert "no_such_template" in kept
    assert "message became a dead letter" in logged
    assert len(stage.read) == 8, "three links, four codes, and a link in a dead letter"
    only_theirs = {*stage.read, OLD, NEW, NUMBER, NUMBER[1:], NAME, "Zawadi"}
    for where, text in {"tables": kept, "messages": passed, "logs": logged}.items():
        assert {secret for secret in only_theirs if secret in text} == set(), where


@pytest.mark.parametrize("command", [SendEmail, SendSms])
def test_commands_have_no_field_for_a_secret(command: type[SendEmail | SendSms]) -> None:
    """So that a letter which no test plays cannot tell anything either."""
    assert set(command.model_fields) == {"message_id", "template", "language", "sealed", "expires_at"}
