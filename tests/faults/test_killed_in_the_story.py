"""kill -9 of the whole platform at random moments of the lending story: it is started again, everybody goes on where they
were, with the same idempotency keys, and at the end every minor unit is where it belongs."""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.demo.client import Json, Person, Refused
from runtime.demo.story import Story
from tests.journeys.test_lending_story import ADMIN, Listener, check
from tests.support.platforms import RunningPlatform, one_process
from tests.support.seed import SEED

KILLS = int(os.environ.get("LENDERY_TEST_KILLS", "10"))


class Patient(httpx.AsyncHTTPTransport):
    """Sends a request again, the same, while nobody answers or the platform says that it cannot right now."""

    def __init__(self) -> None:
        super().__init__()
        self.again = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for tried in range(2000):
            try:
                answer = await super().handle_async_request(request)
                body = await answer.aread()
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in {502, 503, 504} or (answer.status_code == 409 and b"idempotency_key_in_use" in body):
                await asyncio.sleep(0.1)
                continue
            answer.extensions["again"] = tried > 0
            self.again += tried > 0
            return answer
        raise httpx.ConnectError("the platform did not come back", request=request)


class PatientPerson(Person):
    """Somebody who, told that a repeated step is done already, looks at what there is and goes on."""

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, wait: bool = False, **query: object
    ) -> Json:
        answer = await self.send(method, path, body, key=key, wait=wait, **query)
        if answer.status_code == 409 and answer.extensions.get("again") and (path == "/v1/kyc" or path.endswith("/approve")):
            return await self._look(path)
        if answer.extensions.get("again") and path == "/v1/auth/email/verify" and b"link_invalid" in answer.content:
            return {}  # the first try was done and its answer lost; were it not, the story could not go on
        if answer.is_error:
            raise Refused(answer.status_code, answer.json())
        return dict(answer.json()) if answer.content else {}

    async def confirm_email(self) -> bool:
        """Wait for the letter however long it takes: one that was being sent when the platform died is late."""
        for _ in range(30):
            if await super().confirm_email():
                return True
        raise AssertionError(f"no letter reaches {self.email}")

    async def _look(self, path: str) -> Json:
        if path == "/v1/kyc":
            return await super().call("GET", path)
        if path.endswith("/approve") and "/loans/" in path:
            return await super().call("GET", path.replace("/admin", "").removesuffix("/approve"))
        return {}


class PatientStory(Story):
    """The story, with patient people."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(http, Listener(), "killed", *ADMIN)
        self.borrower, *self.lenders = (self._patient(person) for person in self.people)
        self.admin = self._patient(self.admin)

    def _patient(self, person: Person) -> Person:
        return PatientPerson(self._http, person.email, person.password, person.full_name)


async def kill_and_start_again(platform: RunningPlatform, times: int, moments: random.Random) -> int:
    """Kill the platform so many times, each time after a random while of work; how often it was done."""
    for _ in range(times):
        await asyncio.sleep(moments.uniform(0.05, 1.0))
        for process in platform.processes:
            process.kill()
        await asyncio.to_thread(platform.start)
    return times


@pytest.mark.slow
async def test_killed_ten_times(tmp_path: Path) -> None:
    print(f"LENDERY_TEST_SEED={SEED}")
    with one_process(None, tmp_path) as platform:
        transport: Any = Patient()
        async with httpx.AsyncClient(base_url=platform.url, timeout=90, transport=transport) as http:
            story = PatientStory(http)
            killing = asyncio.create_task(kill_and_start_again(platform, KILLS, random.Random(SEED)))
            outcome = await story.play()
            assert await killing == KILLS
            verified = await story.admin.call("POST", "/v1/admin/ledger/verify")
        assert transport.again >= 1
    assert verified["sound"], verified["faults"]
    check(story, outcome)
