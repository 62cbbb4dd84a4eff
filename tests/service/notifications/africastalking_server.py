"""Africa's Talking as its wire looks: HTTP on a real socket, answers of 201 that refuse, and trouble on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs
from uuid import uuid4

from aiohttp import web

USERNAME, API_KEY = "lendery", "atsk_example"
Behaviour = Callable[["SmsServer", str], web.Response | None]
"""Given the number, another answer than the usual; None takes the message."""


@dataclass
class SmsServer:
    """`taken` holds number and words of what was accepted, in order; `offered` counts every request."""

    port: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    offered: int = 0
    behave: Behaviour | None = None
    hang: bool = False
    lose_answer: bool = False

    @property
    def url(self) -> str:
        """What `LENDERY_SMS_URL` is for it."""
        return f"africastalking://{USERNAME}:{API_KEY}@127.0.0.1:{self.port}?from=LENDERY"

    async def messaging(self, request: web.Request) -> web.StreamResponse:
        """`POST /version1/messaging`."""
        self.offered += 1
        if request.headers.get("apiKey") != API_KEY:
            return web.Response(status=401, text="The supplied authentication is invalid")
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        assert form["username"] == USERNAME
        assert form["bulkSMSMode"] == "1"
        assert form["from"] == "LENDERY"
        assert request.headers["Accept"] == "application/json"
        if self.hang:
            await asyncio.sleep(30)
        answer = self.behave(self, form["to"]) if self.behave else None
        if answer is not None:
            return answer
        self.taken.append((form["to"], form["message"]))
        if self.lose_answer:
            self.lose_answer = False
            assert request.transport is not None
            request.transport.abort()
        return recipient(form["to"], 101, "Success", message_id=f"ATXid_{uuid4().hex}")


def recipient(number: str, code: int, status: str, *, message_id: str = "None") -> web.Response:
    """What is said of one recipient: the HTTP status is 201 whatever becomes of the message."""
    cost = "KES 0.8000" if code < 400 else "0"
    one = {"statusCode": code, "number": number, "status": status, "cost": cost, "messageId": message_id}
    taken = 1 if code < 400 else 0
    return _answer({"Message": f"Sent to {taken}/1 Total Cost: {cost}", "Recipients": [one]})


def without_recipients(message: str) -> web.Response:
    """What it says when the fault is the account's."""
    return _answer({"Message": message, "Recipients": []})


def _answer(data: dict[str, object]) -> web.Response:
    return web.Response(status=201, text=json.dumps({"SMSMessageData": data}), content_type="application/json")


@asynccontextmanager
async def running_sms_server() -> AsyncIterator[SmsServer]:
    """A server that takes everything until told otherwise."""
    server = SmsServer()
    app = web.Application()
    app.router.add_post("/version1/messaging", server.messaging)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()
