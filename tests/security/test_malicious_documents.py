"""Files that a person hands in to hurt who looks at them: polyglots, active PDFs, wrong kinds, too much, other people's."""

import base64
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.auth.conftest import KYC, Person, Sent, problem
from tests.support.pictures import jpeg, pdf, png

ZIP = b"PK\x03\x04\x14\x00\x00\x00" + bytes(30) + b"PK\x05\x06" + bytes(18)


def encoded(content: bytes) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode()}


async def hand_in(client: httpx.AsyncClient, person: Person, *contents: bytes, **changes: Any) -> httpx.Response:
    body = KYC | {"documents": [encoded(content) for content in contents]} | changes
    return await client.post("/v1/kyc", json=body, headers=person.headers)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(jpeg(behind=ZIP), id="a picture that is an archive"),
        pytest.param(jpeg(b"<script>alert(1)</script>"), id="a picture that is a web page"),
        pytest.param(png(behind=b"<?php system('id') ?>"), id="a picture with a program behind it"),
        pytest.param(png(b"%PDF-1.7"), id="a picture that is a PDF"),
        pytest.param(pdf(b"/OpenAction << /S /JavaScript /JS (x) >>"), id="a PDF that runs"),
        pytest.param(pdf(b"/OpenAction << /S /#4Aava#53cript >>"), id="a PDF that runs, spelled otherwise"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", id="SVG"),
        pytest.param(b"MZ" + bytes(200), id="a program"),
        pytest.param(png() + bytes(5 << 20), id="too large"),
    ],
)
async def test_it_is_refused_and_nothing_is_kept(
    client: httpx.AsyncClient, amina: Person, sent: Sent, tmp_path: Path, content: bytes
) -> None:
    answer = await hand_in(client, amina, png(), content)
    assert problem(answer) == (422, "validation_error")
    assert answer.json()["errors"][0]["field"] == "documents.1.content"
    assert not await sent("auth.kyc.submitted")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240


async def test_many_that_are_too_large_together_are_refused(client: httpx.AsyncClient, amina: Person) -> None:
    large = jpeg(behind=bytes(4 << 20))
    assert problem(await hand_in(client, amina, large, large, large, large)) == (422, "validation_error")


async def test_a_file_name_or_type_of_the_client_is_not_taken(client: httpx.AsyncClient, amina: Person) -> None:
    body = KYC | {"documents": [encoded(png()) | {"name": "../../etc/passwd", "media_type": "text/html"}]}
    assert problem(await client.post("/v1/kyc", json=body, headers=amina.headers)) == (422, "validation_error")


async def test_a_reviewer_gets_a_download_that_no_browser_opens(
    client: httpx.AsyncClient, amina: Person, baraka: Person, admin: Person
) -> None:
    submitted = (await hand_in(client, amina, pdf())).json()
    path = f"/v1/admin/kyc/{submitted['id']}/documents/{submitted['documents'][0]['id']}"
    answer = await client.get(path, headers=admin.headers)
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    for person in (amina, baraka):
        assert problem(await client.get(path, headers=person.headers)) == (403, "forbidden")
    stranger = f"/v1/admin/kyc/{uuid4()}/documents/{submitted['documents'][0]['id']}"
    assert problem(await client.get(stranger, headers=admin.headers)) == (404, "kyc_not_found")
