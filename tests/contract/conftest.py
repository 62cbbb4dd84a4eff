"""One running platform for all contract tests, with two people on it who have been through KYC and have some money."""

import asyncio
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

from runtime.demo.client import Person
from tests.support.platforms import RunningPlatform, one_process
from tests.support.postgres import Server
from tests.support.run import database_name

SANDBOX_SECRET = "a-secret-between-the-sandbox-and-us"


@dataclass(frozen=True)
class Stage:
    """The platform and where its parts are."""

    platform: RunningPlatform
    database_url: str
    encryption_keys: str
    sandbox_secret: str = SANDBOX_SECRET
    people: dict[str, Person] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stage(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """`lendery up` on a database of its own, for the tests of one file."""
    name = database_name("contract")
    asyncio.run(postgres_server.clone(template_database, name))
    url = make_url(postgres_server.url).set(database=name).render_as_string(hide_password=False)
    keys = "k1:" + urlsafe_b64encode(secrets.token_bytes(32)).decode()
    home: Path = tmp_path_factory.mktemp("platform")
    try:
        with one_process(
            url, home, LENDERY_AUTO_VERIFY="1", LENDERY_ENCRYPTION_KEYS=keys, LENDERY_SANDBOX_SECRET=SANDBOX_SECRET
        ) as platform:
            yield Stage(platform, url, keys)
    finally:
        asyncio.run(postgres_server.drop(name))


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway."""
    async with httpx.AsyncClient(base_url=stage.platform.url, timeout=30, trust_env=False) as client:
        yield client


async def _person(http: httpx.AsyncClient, name: str) -> Person:
    person = Person(http, f"{name}-{secrets.token_hex(4)}@lendery.test", "a-long-test-password", f"Test {name.title()}")
    await person.register()
    await person.log_in()
    return person


@pytest.fixture
async def admin(http: httpx.AsyncClient) -> Person:
    """The administrator."""
    admin = Person(http, "admin@lendery.test", "admin-local-only", "Administrator")
    await admin.log_in()
    return admin


@pytest.fixture
async def ada(http: httpx.AsyncClient, admin: Person) -> Person:
    """Somebody with an approved identity and 1,000.00."""
    return await _ready(await _person(http, "ada"), admin)


@pytest.fixture
async def bo(http: httpx.AsyncClient, admin: Person) -> Person:
    """Somebody else, likewise."""
    return await _ready(await _person(http, "bo"), admin)


@pytest.fixture
async def someone(stage: Stage, http: httpx.AsyncClient) -> Person:
    """Somebody like `ada`, the same in all tests of a file: for requests that are refused and change nothing."""
    return await _remembered(stage, http, "someone")


@pytest.fixture
async def another(stage: Stage, http: httpx.AsyncClient) -> Person:
    """Somebody else, likewise."""
    return await _remembered(stage, http, "another")


async def _remembered(stage: Stage, http: httpx.AsyncClient, name: str) -> Person:
    if name not in stage.people:
        admin = Person(http, "admin@lendery.test", "admin-local-only", "Administrator")
        await admin.log_in()
        stage.people[name] = await _ready(await _person(http, name), admin)
    known = stage.people[name]
    person = Person(http, known.email, known.password, known.full_name)
    person.token = known.token
    return person


async def _ready(person: Person, admin: Person) -> Person:
    submission = await person.hand_in_kyc(secrets.token_hex(6).upper())
    await admin.call("POST", f"/v1/admin/kyc/{submission}/approve")
    assert (await person.deposit(1_000_00, "KES"))["status"] == "succeeded"
    return person
