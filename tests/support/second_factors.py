"""People with second factors: their authenticator apps, and the codes that are on their way to them."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg
import httpx

from services.auth.domain.totp import code_of, step_at
from tests.support.sealed_messages import opened

BEFORE = timedelta(minutes=-6)
"""Where tests with apps set their clock first: each code moves it on by half a minute, and no token may be of the future."""


class _Clock(Protocol):
    ahead: timedelta

    def now(self) -> datetime: ...


@dataclass
class App:
    """An authenticator app with the key of one account."""

    secret: bytes
    clock: _Clock
    last_step: int = 0

    def code(self) -> str:
        """The code of now, after waiting for one that was not shown yet."""
        while step_at(self.clock.now()) <= self.last_step:
            self.clock.ahead += timedelta(seconds=30)
        self.last_step = step_at(self.clock.now())
        return code_of(self.secret, self.last_step)

    def wrong_code(self) -> str:
        """A code of no time step near."""
        present = step_at(self.clock.now())
        near = {code_of(self.secret, step) for step in range(present - 3, present + 4)}
        return next(code for code in (f"{number:06d}" for number in range(10)) if code not in near)


async def enrol_app(client: httpx.AsyncClient, headers: dict[str, str], clock: _Clock) -> tuple[App, list[str]]:
    """Set up an authenticator app; the app, and the recovery codes."""
    begun = await client.post("/v1/auth/mfa/totp", headers=headers)
    assert begun.status_code == 200, begun.text
    app = App(base64.b32decode(begun.json()["secret"]), clock)
    confirmed = await client.post("/v1/auth/mfa/totp/confirm", headers=headers, json={"code": app.code()})
    assert confirmed.status_code == 200, confirmed.text
    codes: list[str] = confirmed.json()["recovery_codes"]
    return app, codes


async def codes_sent(owner: asyncpg.Connection, to: str) -> list[str]:
    """Every code that is on its way to an address or number, oldest first."""
    rows = await owner.fetch("SELECT envelope FROM auth.outbox WHERE type LIKE 'notifications.%.send' ORDER BY id")
    messages = [opened(json.loads(row["envelope"])) for row in rows]
    return [message["data"]["code"] for message in messages if message["to"] == to and "code" in message["data"]]


async def begin_login(client: httpx.AsyncClient, email: str, password: str) -> dict[str, Any]:
    """The first step of a login that takes two."""
    answer = await client.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    step: dict[str, Any] = answer.json()
    assert step["mfa_required"] is True
    return step
