"""The feed over HTTP: pages, marks, bad input, other people's notifications."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.ids import new_id
from tests.service.notifications.conftest import Notifications
from tests.service.notifications.mail_server import MailServer
from tests.support.identity import bearer
from tests.unit.notifications.samples import BORROWER, EVENTS, LENDER, transfer

PEOPLE = ((BORROWER, "Amina Wanjiru"), (LENDER, "Otieno Odhiambo"))


async def _fill(notifications: Notifications, number: int) -> None:
    await notifications.know(*PEOPLE)
    for index in range(number):
        await notifications.handle(transfer(amount_minor=100 + index))


async def _post(notifications: Notifications, body: Any, user: UUID = BORROWER) -> httpx.Response:
    return await notifications.http.post("/v1/notifications/read", json=body, headers=bearer(user))


async def test_pages_are_newest_first_and_complete(notifications: Notifications) -> None:
    """Every entry once, also when one arrives between two pages."""
    await _fill(notifications, 7)
    seen: list[int] = []
    cursor: str | None = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await notifications.http.get("/v1/notifications", params=query, headers=bearer(BORROWER))).json()
        seen += [item["data"]["amount"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await notifications.handle(transfer(amount_minor=999))
    assert seen == [106, 105, 104, 103, 102, 101, 100]


async def test_marking_some_and_all(notifications: Notifications) -> None:
    """The first mark stays; the counts follow; the other person's feed is untouched."""
    await _fill(notifications, 3)
    newest, middle, oldest = await notifications.feed(BORROWER)
    answer = await _post(notifications, {"ids": [middle["id"], middle["id"]]})
    assert (answer.status_code, answer.json()) == (200, {"marked": 1, "unread_count": 2})
    assert [item["id"] for item in await notifications.feed(BORROWER, unread=True)] == [newest["id"], oldest["id"]]
    (read,) = await notifications.feed(BORROWER, unread=False)
    assert read["read_at"] == "2026-01-31T12:00:00Z"

    assert (await _post(notifications, {"ids": [middle["id"]]})).json() == {"marked": 0, "unread_count": 2}
    assert (await _post(notifications, {"all": True})).json() == {"marked": 2, "unread_count": 0}
    assert (await _post(notifications, {"all": True})).json() == {"marked": 0, "unread_count": 0}
    count = await notifications.http.get("/v1/notifications/unread-count", headers=bearer(LENDER))
    assert count.json() == {"unread_count": 3}


async def test_somebody_elses_notification_is_not_there(notifications: Notifications) -> None:
    """404, the same as for one that never was; and nothing at all is marked."""
    await _fill(notifications, 1)
    (mine,) = await notifications.feed(BORROWER)
    (theirs,) = await notifications.feed(LENDER)
    for other in (theirs["id"], str(new_id())):
        answer = await _post(notifications, {"ids": [mine["id"], other]})
        assert (answer.status_code, answer.json()["code"]) == (404, "notification_not_found")
    assert await notifications.owner.fetchval("SELECT count(*) FROM notifications.notifications WHERE read_at IS NOT NULL") == 0
    assert await notifications.feed(UUID(int=99)) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "validation_error"),
        ({"all": False}, 422, "validation_error"),
        ({"all": 1}, 422, "validation_error"),
        ({"ids": []}, 422, "validation_error"),
        ({"ids": ["x"]}, 422, "validation_error"),
        ({"ids": "0199d3a2-7f00-7000-8000-000000000002"}, 422, "validation_error"),
        ({"ids": [None]}, 422, "validation_error"),
        ({"ids": ["0199d3a2-7f00-7000-8000-000000000002"] * 201}, 422, "validation_error"),
        ({"ids": ["0199d3a2-7f00-7000-8000-000000000002"], "all": True}, 422, "validation_error"),
        ({"all": True, "extra": 1}, 422, "validation_error"),
        ([], 422, "validation_error"),
        (None, 422, "validation_error"),
    ],
)
async def test_bad_bodies(notifications: Notifications, body: Any, status: int, code: str) -> None:
    """Refused with the fields to correct; nothing is marked."""
    await _fill(notifications, 1)
    answer = await _post(notifications, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert len(await notifications.feed(BORROWER, unread=True)) == 1


async def test_malformed_json(notifications: Notifications) -> None:
    """400, not 500."""
    answer = await notifications.http.post(
        "/v1/notifications/read", content=b'{"ids": [', headers=bearer(BORROWER) | {"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!!", "cursor=bm8", "unread=perhaps"])
async def test_bad_queries(notifications: Notifications, query: str) -> None:
    """422 for each."""
    answer = await notifications.http.get(f"/v1/notifications?{query}", headers=bearer(BORROWER))
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


@pytest.mark.parametrize("path", ["/v1/notifications", "/v1/notifications/unread-count"])
async def test_a_login_is_needed(notifications: Notifications, path: str) -> None:
    """For everything but the catalogue."""
    refused = (
        ({}, "unauthenticated"),
        ({"Authorization": "Bearer nonsense"}, "unauthenticated"),
        (bearer(BORROWER, age_seconds=1000), "token_expired"),
    )
    for headers, code in refused:
        answer = await notifications.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_the_catalogue_names_every_type_in_the_feed(notifications: Notifications) -> None:
    """Each with who is told and how."""
    await notifications.know(*PEOPLE)
    for event in EVENTS:
        await notifications.handle(event)
    types = {item["type"] for person in (BORROWER, LENDER) for item in await notifications.feed(person)}
    catalogue = (await notifications.http.get("/v1/event-types")).json()["items"]
    assert {entry["type"] for entry in catalogue} == types
    transfers = next(entry for entry in catalogue if entry["type"] == "wallet_ledger.transfer.completed")
    assert transfers == {
        "type": "wallet_ledger.transfer.completed",
        "version": 1,
        "description": "One person sent money to another, or between their own wallets.",
        "roles": ["receiver", "sender"],
        "channels": ["email", "in_app"],
    }


async def test_readiness_names_the_database_and_the_mail_server(notifications: Notifications, mail: MailServer) -> None:
    """Down when the mail server is down, up when it is back."""
    up = await notifications.http.get("/readyz")
    assert (up.status_code, up.json()["checks"]) == (200, {"database": {"state": "up"}, "smtp": {"state": "up"}})
    await mail.stop()
    down = await notifications.http.get("/readyz")
    assert down.status_code == 503
    assert down.json()["checks"] == {"database": {"state": "up"}, "smtp": {"state": "down", "reason": "SMTPConnectError"}}


async def test_metrics_count_emails(notifications: Notifications) -> None:
    """By template and outcome; how many wait."""
    await notifications.know(*PEOPLE)
    await notifications.handle(transfer())
    await notifications.deliver()
    text = (await notifications.http.get("/metrics")).text
    assert 'lendery_emails_total{outcome="sent",template="transfer_received"}' in text
    assert "lendery_emails_pending" in text
