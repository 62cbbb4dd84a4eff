"""Identity checks."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import KYC, Person, Sent, at_once, problem
from tests.support.pictures import png

PNG = png(b"picture of a passport")


async def submit(client: httpx.AsyncClient, person: Person, **changes: Any) -> httpx.Response:
    return await client.post("/v1/kyc", json=KYC | changes, headers=person.headers)


async def decide(client: httpx.AsyncClient, reviewer: Person, kyc_id: str, what: str) -> httpx.Response:
    body = {"reason": "The picture is blurred."} if what == "reject" else None
    return await client.post(f"/v1/admin/kyc/{kyc_id}/{what}", json=body, headers=reviewer.headers)


async def test_from_nothing_to_approved(client: httpx.AsyncClient, amina: Person, admin: Person, sent: Sent) -> None:
    assert (await client.get("/v1/kyc", headers=amina.headers)).json()["status"] == "unsubmitted"
    answer = await submit(client, amina)
    assert answer.status_code == 201
    submission = answer.json()
    assert submission["status"] == "pending"
    assert {name: submission[name] for name in KYC} == KYC
    assert (await client.get("/v1/kyc", headers=amina.headers)).json() == submission
    (submitted,) = await sent("auth.kyc.submitted")
    assert (submitted["user_id"], submitted["kyc_id"]) == (str(amina.id), submission["id"])

    waiting = (await client.get("/v1/admin/kyc", params={"status": "pending"}, headers=admin.headers)).json()["items"]
    assert [(item["id"], item["user_id"], item["full_name"]) for item in waiting] == [
        (submission["id"], str(amina.id), "Amina Wanjiru")
    ]
    assert "document_number" not in waiting[0]

    approved = await decide(client, admin, submission["id"], "approve")
    assert approved.status_code == 200
    assert approved.json()["status"] == "approved"
    assert approved.json()["decided_by"] == str(admin.id)
    (event,) = await sent("auth.kyc.approved")
    assert (event["user_id"], event["country"]) == (str(amina.id), "KE")
    assert (await client.get("/v1/me", headers=amina.headers)).json()["kyc_status"] == "approved"
    assert not await sent("auth.kyc.rejected")


async def test_personal_details_are_sealed(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    await submit(client, amina)
    row = str(dict(await owner.fetchrow("SELECT * FROM auth.kyc_submissions")))
    for secret in ("Amina", "1990", "Moi Avenue", "A1234567"):
        assert secret not in row
    messages = str(await sent("auth.kyc.submitted"))
    log = str([dict(row) for row in await owner.fetch("SELECT * FROM auth.audit_log")])
    assert "A1234567" not in messages + log


async def test_approving_again_changes_nothing(client: httpx.AsyncClient, amina: Person, admin: Person, sent: Sent) -> None:
    kyc_id = (await submit(client, amina)).json()["id"]
    answers = await at_once(*(decide(client, admin, kyc_id, "approve") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["decided_at"] for answer in answers}) == 1
    assert len(await sent("auth.kyc.approved")) == 1
    assert problem(await decide(client, admin, kyc_id, "reject")) == (409, "kyc_already_decided")
    assert not await sent("auth.kyc.rejected")
    assert problem(await submit(client, amina)) == (409, "kyc_already_approved")


async def test_a_rejected_person_may_submit_again(client: httpx.AsyncClient, amina: Person, admin: Person, sent: Sent) -> None:
    first = (await submit(client, amina)).json()["id"]
    rejected = await decide(client, admin, first, "reject")
    assert rejected.json()["reason"] == "The picture is blurred."
    assert (await decide(client, admin, first, "reject")).status_code == 200
    (event,) = await sent("auth.kyc.rejected")
    assert event["reason"] == "The picture is blurred."
    mine = (await client.get("/v1/kyc", headers=amina.headers)).json()
    assert (mine["status"], mine["reason"]) == ("rejected", "The picture is blurred.")
    assert problem(await decide(client, admin, first, "approve")) == (409, "kyc_already_decided")
    second = await submit(client, amina, document_number="B7654321")
    assert second.status_code == 201
    assert (await decide(client, admin, second.json()["id"], "approve")).status_code == 200


async def test_one_submission_at_a_time(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    answers = await at_once(*(submit(client, amina) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {problem(answer)[1] for answer in answers if answer.status_code == 409} == {"kyc_pending"}
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_submissions") == 1


async def test_nobody_reviews_themselves(client: httpx.AsyncClient, admin: Person, sent: Sent) -> None:
    kyc_id = (await submit(client, admin)).json()["id"]
    for what in ("approve", "reject"):
        assert problem(await decide(client, admin, kyc_id, what)) == (403, "own_submission")
    assert not await sent("auth.kyc.approved")


async def test_details_and_documents_for_the_reviewer(
    client: httpx.AsyncClient, amina: Person, admin: Person, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    address = {"street": "12 Moi Avenue", "city": "Nairobi"}
    answer = await submit(client, amina, address=address, documents=[{"content": base64.b64encode(PNG).decode()}])
    assert answer.status_code == 201, answer.text
    (document,) = answer.json()["documents"]
    assert (document["media_type"], document["size_bytes"]) == ("image/png", len(PNG))
    kyc_id = answer.json()["id"]
    detail = (await client.get(f"/v1/admin/kyc/{kyc_id}", headers=admin.headers)).json()
    assert detail["document_number"] == "A1234567"
    assert detail["address"] == address
    assert detail["documents"] == [document]
    content = await client.get(f"/v1/admin/kyc/{kyc_id}/documents/{document['id']}", headers=admin.headers)
    assert content.content == PNG
    assert content.headers["content-type"] == "image/png"
    assert content.headers["content-disposition"] == "attachment"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-security-policy"] == "sandbox; default-src 'none'"
    (stored,) = [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert PNG not in stored
    looked = await owner.fetch(
        "SELECT action FROM auth.audit_log WHERE actor_id = $1 AND action LIKE 'kyc.%' ORDER BY id", admin.id
    )
    assert [row["action"] for row in looked] == ["kyc.viewed", "kyc.document_viewed"]


def _years_ago(years: int, *, days: int = 0) -> str:
    today = datetime.now(UTC).date()
    return f"{today.year - years:04}-{today.month:02}-{min(today.day, 28) + days:02}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"date_of_birth": _years_ago(17)}, "date_of_birth"),
        ({"date_of_birth": "1850-01-01"}, "date_of_birth"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"date_of_birth": "1990-02-30"}, "date_of_birth"),
        ({"date_of_birth": "1990-01-31T00:00:00Z"}, "date_of_birth"),
        ({"date_of_birth": 631152000}, "date_of_birth"),
        ({"country": "XX"}, "country"),
        ({"country": "KEN"}, "country"),
        ({"country": 7}, "country"),
        ({"document_type": "library_card"}, "document_type"),
        ({"document_number": ""}, "document_number"),
        ({"document_number": "A\u0000B1"}, "body"),
        ({"document_number": "<script>"}, "document_number"),
        ({"full_name": ""}, "full_name"),
        ({"status": "approved"}, "status"),
        ({"documents": [{"content": "not base64!"}]}, "documents.0.content"),
        ({"documents": [{"content": base64.b64encode(b"MZ program").decode()}]}, "documents.0.content"),
        ({"documents": [{"content": base64.b64encode(PNG).decode()}] * 5}, "documents"),
    ],
)
async def test_bad_fields_are_named(
    client: httpx.AsyncClient, amina: Person, sent: Sent, changes: dict[str, Any], field: str
) -> None:
    answer = await submit(client, amina, **changes)
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not await sent("auth.kyc.submitted")


async def test_bad_addresses(client: httpx.AsyncClient, amina: Person) -> None:
    for address in ("", 7, {}, {"street": 7}, {"Street!": "x"}, ["x"], None, "x" * 501):
        assert problem(await submit(client, amina, address=address)) == (422, "validation_error")


async def test_an_eighteenth_birthday_is_enough(client: httpx.AsyncClient, amina: Person) -> None:
    assert (await submit(client, amina, date_of_birth=_years_ago(18), country="ng")).status_code == 201


async def test_submissions_that_are_not_there(client: httpx.AsyncClient, admin: Person, amina: Person) -> None:
    kyc_id = (await submit(client, amina)).json()["id"]
    for what in ("approve", "reject"):
        assert problem(await decide(client, admin, str(uuid4()), what)) == (404, "kyc_not_found")
    assert problem(await client.get(f"/v1/admin/kyc/{uuid4()}", headers=admin.headers)) == (404, "kyc_not_found")
    document = await client.get(f"/v1/admin/kyc/{kyc_id}/documents/{uuid4()}", headers=admin.headers)
    assert problem(document) == (404, "kyc_not_found")
    no_reason = await client.post(f"/v1/admin/kyc/{kyc_id}/reject", json={"reason": " "}, headers=admin.headers)
    assert problem(no_reason) == (422, "validation_error")


async def test_nobody_sees_another_persons_details(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    await submit(client, amina)
    theirs = await client.get("/v1/kyc", headers=baraka.headers)
    assert theirs.json()["status"] == "unsubmitted"
    assert theirs.json()["full_name"] is None


async def test_the_list_pages(client: httpx.AsyncClient, admin: Person, amina: Person, baraka: Person) -> None:
    for person in (amina, baraka):
        await submit(client, person)
    first = (await client.get("/v1/admin/kyc", params={"limit": 1}, headers=admin.headers)).json()
    assert [item["user_id"] for item in first["items"]] == [str(baraka.id)]
    params = {"limit": 1, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/admin/kyc", params=params, headers=admin.headers)).json()
    assert [item["user_id"] for item in second["items"]] == [str(amina.id)]
    assert second["next_cursor"] is None
