"""The place of files breaks while people ask for theirs: they are told to come back, and nothing is lost."""

import base64
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.sagas.export import EXPORTING
from shared.messaging.failures import Failure, classify
from shared.service import Service
from shared.storage import StoreUnavailable
from tests.service.auth.conftest import KYC, Person, Sent, problem
from tests.service.auth.test_privacy import Handle, export, handle, part
from tests.support.pictures import png

__all__ = ["handle"]
DOCUMENT = {"content": base64.b64encode(png()).decode()}


class _Bucket(BaseHTTPRequestHandler):
    """As much of S3 as we use, on one bucket; `broken` is the status of every answer while it is set."""

    def _serve(self) -> None:
        server: Any = self.server
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        if server.broken:
            self._answer(server.broken, b"<Error><Code>No</Code><Message>no</Message></Error>")
        elif self.command == "PUT":
            server.objects[self.path] = sent
            self._answer(200)
        elif self.command == "DELETE":
            server.objects.pop(self.path, None)
            self._answer(204)
        else:
            self._answer(200 if self.path in server.objects else 404, server.objects.get(self.path, b""))

    do_GET = do_PUT = do_DELETE = _serve  # noqa: N815 the names that the base class looks for

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=["disk", "s3"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "disk":
        yield None
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    server.objects, server.broken = {}, 0
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings_changes(bucket: Any) -> dict[str, Any]:
    patience = {"auth_privacy_patience_seconds": 0}
    if bucket is None:
        return patience
    endpoint = f"http://127.0.0.1:{bucket.server_address[1]}"
    return patience | {"storage_url": f"s3://files/here?endpoint={endpoint}&region=us-east-1"}


@pytest.fixture
def place(bucket: Any, tmp_path: Path) -> "Place":
    return Place(bucket, tmp_path / "files")


class Place:
    """Where files are."""

    def __init__(self, bucket: Any, directory: Path) -> None:
        self._bucket = bucket
        self._directory = directory

    def break_down(self, status: int = 403) -> None:
        """A bucket that refuses (with 503 it is asked three times, which takes seconds); a directory that is none."""
        if self._bucket is not None:
            self._bucket.broken = status
        else:
            self._aside.parent.mkdir(parents=True, exist_ok=True)
            if self._directory.exists():
                self._directory.rename(self._aside)
            self._directory.write_bytes(b"")

    def mend(self) -> None:
        if self._bucket is not None:
            self._bucket.broken = 0
        else:
            self._directory.unlink()
            if self._aside.exists():
                self._aside.rename(self._directory)

    def lose(self) -> None:
        """Everything is gone."""
        if self._bucket is not None:
            self._bucket.objects.clear()
        else:
            shutil.rmtree(self._directory)

    @property
    def _aside(self) -> Path:
        return self._directory.with_name("aside")


def told_to_come_back(answer: httpx.Response) -> None:
    assert problem(answer) == (503, "service_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in answer.text
    assert "/" not in answer.json()["detail"]


async def test_an_export_that_cannot_be_read_is_asked_for_again(
    service: Service, client: httpx.AsyncClient, amina: Person, handle: Handle, sent: Sent, place: Place
) -> None:
    await export(client, amina)
    export_id = UUID((await sent("auth.export.requested"))[0]["export_id"])
    for name in EXPORTING[1:]:
        await handle(part(service, export_id, name))
    place.break_down()
    with pytest.raises(StoreUnavailable) as raised:  # the message is tried again
        await handle(part(service, export_id, EXPORTING[0]))
    assert classify(raised.value) is Failure.MAY_PASS
    place.mend()
    await handle(part(service, export_id, EXPORTING[0]))
    archive = await export(client, amina)
    assert archive.status_code == 200

    place.break_down(503)
    told_to_come_back(await export(client, amina))
    place.mend()
    assert (await export(client, amina)).content == archive.content

    place.lose()
    again = await export(client, amina)
    assert (again.status_code, again.json()["status"]) == (202, "collecting"), "what is lost is made anew"
    assert again.json()["id"] != str(export_id)


async def test_documents_can_neither_be_handed_in_nor_looked_at(
    client: httpx.AsyncClient, amina: Person, admin: Person, owner: asyncpg.Connection, place: Place
) -> None:
    place.break_down()
    body = KYC | {"documents": [DOCUMENT]}
    told_to_come_back(await client.post("/v1/kyc", json=body, headers=amina.headers))
    assert await owner.fetchval("SELECT count(*) FROM auth.kyc_submissions") == 0
    place.mend()
    submitted = (await client.post("/v1/kyc", json=body, headers=amina.headers)).json()
    path = f"/v1/admin/kyc/{submitted['id']}/documents/{submitted['documents'][0]['id']}"
    assert (await client.get(path, headers=admin.headers)).content == png()
    place.break_down()
    told_to_come_back(await client.get(path, headers=admin.headers))
    place.mend()
    place.lose()
    assert problem(await client.get(path, headers=admin.headers)) == (404, "kyc_not_found")
