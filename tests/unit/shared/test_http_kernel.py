"""The HTTP kernel: problem documents, ids, paging, preferences. A tiny app stands for every service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter, Query, Response
from sqlalchemy.exc import DBAPIError

from shared.http.app import create_app
from shared.http.auth import Admin, CurrentUser, VerifiedUser
from shared.http.errors import problem_of
from shared.http.paging import Page, Paging
from shared.http.prefer import WaitSeconds, settle
from shared.http.schemas import AmountMinor, Body, CurrencyCode, RateString, ShortText
from shared.problems import Problem
from tests.support.identity import OneKeyVerifier, access_token, bearer

router = APIRouter(prefix="/v1")


class Thing(Body):
    """Something to make."""

    amount: AmountMinor
    currency: CurrencyCode
    rate: RateString = "0.1"
    owner: UUID | None = None
    place: ShortText | dict[ShortText, ShortText] | None = None


class Teapot(Problem):
    """For tests."""

    status = 418
    code = "teapot"
    title = "Short and stout"


@router.post("/things")
async def make_thing(thing: Thing) -> Thing:
    return thing


@router.get("/list")
async def list_things(paging: Paging, q: Annotated[str, Query(max_length=5)] = "") -> Page[UUID]:
    rows = [UUID(int=number) for number in range(1, 8)]
    start = rows.index(paging.after) + 1 if paging.after else 0
    return paging.page(rows[start : start + paging.fetch], id_of=lambda row: row, view=lambda row: row)


@router.get("/wait")
async def wait_for_it(wait: WaitSeconds, response: Response) -> dict[str, int]:
    reads = iter(range(100))

    async def read() -> int:
        return next(reads)

    return {"reads": await settle(wait, response, read, lambda value: value >= 3)}


@router.get("/me")
async def who(principal: CurrentUser) -> str:
    return str(principal.user_id)


@router.get("/admin")
async def admin_only(principal: Admin) -> str:
    return str(principal.user_id)


@router.get("/verified")
async def verified_only(principal: VerifiedUser) -> str:
    return str(principal.user_id)


@router.get("/fail/{how}")
async def fail(how: str) -> None:
    if how == "teapot":
        raise Teapot("Tip me over.", headers={"X-Pour": "out"})
    if how == "connection":
        raise ConnectionRefusedError
    raise RuntimeError("secret inner detail")


async def broken() -> None:
    raise OSError


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async def fine() -> None:
        await asyncio.sleep(0)

    app = create_app(
        service="tiny",
        title="Tiny",
        description="",
        routers=[router],
        checks={"good": fine, "bad": broken},
        token_verifier=OneKeyVerifier(),
        context=None,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tiny") as client:
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert {"type", "title", "detail", "trace_id"} <= set(document)
    return document


async def post(client: httpx.AsyncClient, text: str | bytes) -> httpx.Response:
    return await client.post("/v1/things", content=text, headers={"Content-Type": "application/json"})


async def test_good_bodies_pass(client: httpx.AsyncClient) -> None:
    answer = await post(client, '{"amount": 1000000000000000, "currency": "JPY"}')
    assert answer.status_code == 200


@pytest.mark.parametrize("body", ["", "{", '{"amount": 1,}', b'{"amount": "\xff"}', "nonsense"])
async def test_bodies_that_cannot_be_read(client: httpx.AsyncClient, body: str | bytes) -> None:
    answer = await post(client, body)
    problem(answer, 422 if body == "" else 400, "validation_error" if body == "" else "malformed_body")


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (text, "amount")
        for text in ("0", "-1", "1.0", "1.5", '"5"', "NaN", "Infinity", "1e3", "true", "null", "10000000000000001", "[]")
    ],
)
async def test_amounts_that_are_none(client: httpx.AsyncClient, amount: str, field: str) -> None:
    document = problem(await post(client, f'{{"amount": {amount}, "currency": "KES"}}'), 422, "validation_error")
    assert [error["field"] for error in document["errors"]] == [field]


@pytest.mark.parametrize(
    "rest",
    [
        '"currency": "XXX"',
        '"currency": "kes"',
        '"currency": 1',
        '"currency": "KES", "more": 1',
        '"currency": "KES", "rate": 0.1',
        '"currency": "KES", "rate": "NaN"',
        '"currency": "KES", "rate": "11"',
        '"currency": "KES", "owner": "x"',
        '"currency": "KE\\u0000"',
        '"currency": "KES", "rate": "\\ud800"',
    ],
)
async def test_other_fields_that_are_wrong(client: httpx.AsyncClient, rest: str) -> None:
    problem(await post(client, f'{{"amount": 1, {rest}}}'), 422, "validation_error")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ('{"amount": 1, "currency": "kes"}', "currency", "unknown currency; use an ISO 4217 code in capitals, such as KES"),
        (
            '{"amount": 1, "currency": "KES", "rate": "1e-3"}',
            "rate",
            "must be a decimal of one year with at most 10 places, such as 0.1850 for 18.5 %",
        ),
        ('{"amount": 1, "currency": "KES", "place": ""}', "place", "String should have at least 1 character"),
        ("[]", "body", "Send a JSON object, with Content-Type: application/json"),
    ],
)
async def test_fields_and_faults_are_named_in_the_words_of_the_contract(
    client: httpx.AsyncClient, body: str, field: str, message: str
) -> None:
    document = problem(await post(client, body), 422, "validation_error")
    assert {"field": field, "message": message} in document["errors"]
    assert {error["field"] for error in document["errors"]} == {field}


async def test_lists_page_through_everything_once(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        answer = await client.get("/v1/list", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        seen += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(UUID(int=number)) for number in range(1, 8)]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=e30", "cursor=%FF", "q=%00", "q=toolong"]
)
async def test_wrong_queries(client: httpx.AsyncClient, query: str) -> None:
    problem(await client.get(f"/v1/list?{query}"), 422, "validation_error")


async def test_unknown_places_and_methods(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/nowhere"), 404, "not_found")
    problem(await client.delete("/v1/list"), 405, "method_not_allowed")


async def test_failures_keep_their_secrets(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/fail/unexpected")
    document = problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert document["trace_id"] == answer.headers["traceresponse"].split("-")[1]
    problem(await client.get("/v1/fail/connection"), 503, "service_unavailable")
    answer = await client.get("/v1/fail/teapot")
    assert problem(answer, 418, "teapot")["detail"] == "Tip me over."
    assert answer.headers["x-pour"] == "out"


async def test_requests_keep_their_ids(client: httpx.AsyncClient) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await client.get("/v1/nowhere", headers={"X-Request-Id": "abc-1", "traceparent": trace})
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.json()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client.get("/v1/nowhere", headers={"X-Request-Id": "a b", "traceparent": "nonsense"})
    UUID(answer.headers["x-request-id"])
    assert len(answer.json()["trace_id"]) == 32


async def test_who_is_calling(client: httpx.AsyncClient) -> None:
    user = uuid4()
    problem(await client.get("/v1/me"), 401, "unauthenticated")
    problem(await client.get("/v1/me", headers={"Authorization": "Bearer x.y.z"}), 401, "unauthenticated")
    problem(await client.get("/v1/me", headers={"Authorization": f"Basic {access_token(user)}"}), 401, "unauthenticated")
    assert (await client.get("/v1/me", headers=bearer(user))).json() == str(user)
    problem(await client.get("/v1/admin", headers=bearer(user)), 403, "forbidden")
    assert (await client.get("/v1/admin", headers=bearer(user, roles=("admin",)))).status_code == 200
    problem(await client.get("/v1/verified", headers=bearer(user, email_verified=False)), 403, "email_unverified")
    problem(await client.get("/v1/me", headers=bearer(user, age_seconds=1000)), 401, "token_expired")


@pytest.mark.parametrize(("prefer", "applied"), [("wait=5", "wait=5"), ("respond-async, wait=90", "wait=30"), ("wait=x", None)])
async def test_waiting_for_a_result(client: httpx.AsyncClient, prefer: str, applied: str | None) -> None:
    answer = await client.get("/v1/wait", headers={"Prefer": prefer})
    assert answer.headers.get("preference-applied") == applied
    assert answer.json() == {"reads": 3 if applied else 0}


async def test_health_names_what_is_down(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"good": {"state": "up"}, "bad": {"state": "down", "reason": "OSError"}}


async def test_metrics_count_by_route_not_by_address(client: httpx.AsyncClient) -> None:
    await client.get("/v1/fail/teapot")
    text = (await client.get("/metrics")).text
    assert 'lendery_http_requests_total{method="GET",route="/v1/fail/{how}",service="tiny",status="418"}' in text
    assert "/v1/fail/teapot" not in text


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [*[(state, 503) for state in ("55P03", "40P01", "40001", "57014", "53300", "57P03", "08006")], ("23505", 500), (None, 500)],
)
def test_a_busy_database_is_no_fault_of_ours(sqlstate: str | None, status: int) -> None:
    cause = Exception("inner words")
    cause.sqlstate = sqlstate  # type: ignore[attr-defined]
    found = problem_of(DBAPIError("SELECT 1", None, cause))
    assert found.status == status
    assert "inner words" not in found.detail
    assert ("Retry-After" in found.headers) == (status == 503)


async def test_waiting_outlives_a_moment_without_the_database() -> None:
    busy = Exception()
    busy.sqlstate = "53300"  # type: ignore[attr-defined]
    answers: list[Exception | str] = [DBAPIError("", None, busy), "begun", ConnectionRefusedError(), "done"]

    async def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await settle(30, Response(), read, lambda found: found == "done") == "done"
    answers[:] = [RuntimeError("a fault")]
    with pytest.raises(RuntimeError):
        await settle(30, Response(), read, lambda found: True)
    answers[:] = [ConnectionRefusedError()]
    with pytest.raises(ConnectionRefusedError):
        await settle(0, Response(), read, lambda found: True)
