"""The short way to an endpoint answers as FastAPI does: each request is sent to the same routes both ways."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Form, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from shared.http.app import App
from shared.http.client_address import PRIVATE_NETWORKS
from shared.http.errors import install_error_handlers
from shared.http.schemas import AmountMinor, Body, Instant, View
from shared.problems import Problem, RateLimited

ID = "0199d4c0-7c1e-7000-8000-000000000001"
router = APIRouter(prefix="/v1", tags=["things"])
calls: list[str] = []


class Part(Body):
    """Something within."""

    name: str


class Thing(Body):
    """Something to make."""

    amount: AmountMinor
    parts: list[Part] = Field(default_factory=list)
    at: Instant | None = None


class ThingView(View):
    """Something made."""

    id: UUID
    amount: int
    note: str | None = None


class Found(BaseModel):
    """Parameters as a model."""

    first: int = 1
    words: list[str] = Field(default_factory=list)


async def _once(request: Request) -> str:
    calls.append("once")
    return request.method


async def _limit(first: Annotated[str, Depends(_once)], limit: Annotated[int, Query(ge=1, le=10)] = 5) -> int:
    return limit if first else 0


async def _noting(response: Response) -> None:
    response.headers.append("X-Noted", "yes")
    response.status_code = 202


async def _refusing(x_refuse: Annotated[str | None, Header()] = None) -> None:
    if x_refuse:
        raise RateLimited("Not now.")


async def _lasting() -> AsyncIterator[int]:
    yield 7


Token = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


@router.post("/things", status_code=201)
async def make(thing: Thing, x_key: Annotated[str, Header(max_length=5)], limit: Annotated[int, Depends(_limit)]) -> ThingView:
    return ThingView(id=UUID(ID), amount=thing.amount * limit, note="ünï")


@router.post("/maybe")
async def maybe(thing: Thing | None = None) -> dict[str, Any]:
    return {"thing": thing}


@router.get("/things/mine")
async def mine() -> str:
    return "mine"


@router.get("/things/{thing_id}", response_model_exclude_none=True)
async def find(thing_id: UUID, again: Annotated[str, Depends(_once)], limit: Annotated[int, Depends(_limit)]) -> ThingView:
    return ThingView(id=thing_id, amount=len(again) + limit)


@router.get("/things/{thing_id}/{part}")
async def part_of(thing_id: str, part: str) -> list[str]:
    return [thing_id, part]


@router.get("/things/late")
async def never_found() -> str:
    return "the one before takes it"


@router.get("/search")
async def search(
    q: Annotated[list[str] | None, Query()] = None,
    page: Annotated[str, Query(alias="page[after]")] = "0",
    visits: Annotated[int, Cookie()] = 0,
    since: Instant | None = None,
) -> dict[str, Any]:
    return {"q": q, "page": page, "visits": visits, "since": since}


@router.get("/model")
async def by_model(found: Annotated[Found, Query()]) -> Found:
    return found


@router.get("/noted")
async def noted(_: Annotated[None, Depends(_noting)], token: Token) -> dict[str, Any]:
    return {"token": token.credentials if token else None}


@router.delete("/things/{thing_id}", status_code=204, dependencies=[Depends(_refusing)])
async def remove(thing_id: UUID, response: Response) -> None:
    response.headers["X-Removed"] = str(thing_id)


@router.get("/plain")
async def plain() -> Response:
    return PlainTextResponse("plain", status_code=203)


@router.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(pieces(), media_type="text/plain")


@router.get("/wrong", response_model=ThingView)
async def wrong() -> dict[str, str]:
    return {"id": "none"}


@router.post("/form")
async def form(name: Annotated[str, Form()]) -> str:
    return name


@router.get("/lasting")
async def lasting(number: Annotated[int, Depends(_lasting)]) -> int:
    return number


@router.get("/thread")
def in_a_thread() -> str:
    return "thread"


ONLY_FASTAPI = ["/v1/form", "/v1/lasting", "/v1/thread"]


def _declared(app: FastAPI) -> FastAPI:
    app.include_router(router)
    install_error_handlers(app)
    return app


short = App(service="test", trusted_proxies=PRIVATE_NETWORKS, redirect_slashes=False)
long = FastAPI(redirect_slashes=False)
_declared(short), _declared(long)

JSON = {"Content-Type": "application/json", "X-Key": "k"}
GOOD = b'{"amount": 5, "parts": [{"name": "a"}]}'
REQUESTS: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/v1/things", JSON, GOOD),
    ("POST", "/v1/things?limit=3", JSON, GOOD),
    ("POST", "/v1/things?limit=30", JSON, b'{"amount": "5", "more": 1}'),
    ("POST", "/v1/things?limit=x", {"Content-Type": "application/json"}, b"[]"),
    ("POST", "/v1/things", JSON | {"X-Key": "too long"}, GOOD),
    ("POST", "/v1/things", JSON, b'{"amount": 5,'),
    ("POST", "/v1/things", JSON, b'{"amount": "\xff"}'),
    ("POST", "/v1/things", JSON, b"[" * 100_000),
    ("POST", "/v1/things", JSON, b""),
    ("POST", "/v1/things", JSON, b"null"),
    ("POST", "/v1/things", JSON, b'{"amount": 5, "parts": [{"name": "\\ud800"}]}'),
    ("POST", "/v1/things", JSON, b'{"amount": 5, "at": "2026-01-31T12:00:00"}'),
    ("POST", "/v1/things", {"X-Key": "k"}, GOOD),
    ("POST", "/v1/things", JSON | {"Content-Type": "text/plain"}, GOOD),
    ("POST", "/v1/things", JSON | {"Content-Type": "application/vnd.x+json; charset=utf-8"}, GOOD),
    ("POST", "/v1/things", JSON | {"Content-Type": "application/x-www-form-urlencoded"}, b"amount=5"),
    ("POST", "/v1/maybe", JSON, b""),
    ("POST", "/v1/maybe", JSON, GOOD),
    ("GET", "/v1/things/mine", {}, b""),
    ("GET", f"/v1/things/{ID}", {}, b""),
    ("GET", "/v1/things/late?limit=0", {}, b""),
    ("GET", "/v1/things/%2e%2e", {}, b""),
    ("GET", "/v1/things/a%20b/%C3%BC", {}, b""),
    ("GET", "/v1/search", {}, b""),
    ("GET", "/v1/search?q=a&q=b&page%5Bafter%5D=9&since=2026-01-31T12:00:00%2B03:00", {"Cookie": "visits=4"}, b""),
    ("GET", "/v1/search?since=yesterday", {"Cookie": "visits=four"}, b""),
    ("GET", "/v1/model?first=2&words=a&words=b", {}, b""),
    ("GET", "/v1/model?first=x", {}, b""),
    ("GET", "/v1/noted", {"Authorization": "Bearer abc"}, b""),
    ("GET", "/v1/noted", {"Authorization": "Basic abc"}, b""),
    ("DELETE", f"/v1/things/{ID}", {}, b""),
    ("DELETE", f"/v1/things/{ID}", {"X-Refuse": "1"}, b""),
    ("DELETE", "/v1/things/1", {}, b""),
    ("GET", "/v1/plain", {}, b""),
    ("GET", "/v1/stream", {}, b""),
    ("POST", "/v1/form", {"Content-Type": "application/x-www-form-urlencoded"}, b"name=a"),
    ("GET", "/v1/lasting", {}, b""),
    ("GET", "/v1/thread", {}, b""),
    ("GET", "/v1/nowhere", {}, b""),
    ("HEAD", "/v1/plain", {}, b""),
    ("OPTIONS", "/v1/things", {}, b""),
    ("PUT", "/v1/things", JSON, GOOD),
    ("GET", "/v1/things/", {}, b""),
    ("GET", "/openapi.json", {}, b""),
]


async def _answer(app: FastAPI, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, headers=headers, content=body)


@pytest.mark.parametrize(("method", "path", "headers", "body"), REQUESTS, ids=lambda value: str(value)[:40])
async def test_the_answer_is_the_same(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    calls.clear()
    expected = await _answer(long, method, path, headers, body)
    called = len(calls)
    calls.clear()
    found = await _answer(short, method, path, headers, body)

    def told(response: httpx.Response) -> Any:
        if not response.content or "json" not in response.headers.get("content-type", ""):
            return response.content
        said = response.json()
        return said | {"trace_id": ""} if isinstance(said, dict) and "trace_id" in said else said

    ours = {"x-request-id", "traceresponse"}
    assert found.status_code == expected.status_code
    assert told(found) == told(expected)
    assert {name: value for name, value in found.headers.items() if name not in ours} == dict(expected.headers)
    assert ours <= found.headers.keys()
    assert len(calls) == called


async def test_an_answer_that_is_not_as_declared_is_our_fault() -> None:
    found = await _answer(short, "GET", "/v1/wrong", {}, b"")
    assert found.status_code == 500
    assert found.json()["code"] == Problem.code


def test_only_what_only_fastapi_can_do_is_left_to_it() -> None:
    short.build_middleware_stack()
    assert sorted(set(short.direct.left_out)) == ONLY_FASTAPI


async def test_a_body_in_pieces_is_read_whole() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(GOOD), 7):
            yield GOOD[place : place + 7]

    transport = httpx.ASGITransport(app=short)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        found = await client.post("/v1/things", headers=JSON, content=pieces())
    assert found.status_code == 201
    assert found.json()["amount"] == 25
