"""The local mailbox: letters come in by SMTP, are kept as files, and are shown as pages and JSON."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import aiosmtplib
import httpx
import pytest

from runtime.mailbox.app import mailbox_app
from runtime.mailbox.letters import LetterBox
from runtime.mailbox.smtp import catch_mail
from shared.service import Platform
from shared.settings import CommonSettings


@pytest.fixture
def box(tmp_path: Path) -> LetterBox:
    return LetterBox(tmp_path / "mailbox")


@pytest.fixture
async def browser(box: LetterBox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the mailbox's pages."""
    app = mailbox_app(box, Platform.of(CommonSettings()).token_verifier)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mailbox.test") as client:
        yield client


def letter(subject: str = "Hello", to: str = "ada@lendery.test", text: str = "Some text") -> EmailMessage:
    """An e-mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "no-reply@lendery.test", to, subject
    message.set_content(text)
    return message


async def send(box: LetterBox, *messages: EmailMessage) -> None:
    """Hand e-mail in as the platform does."""
    async with catch_mail(box) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        for message in messages:
            await client.send_message(message)


async def test_a_letter_sent_by_smtp_is_read_as_json(box: LetterBox, browser: httpx.AsyncClient) -> None:
    message = letter("Überweisung €", text="Grüße, see https://lendery.test/x?a=1")
    message["Bcc"] = "hidden@lendery.test"
    message.add_alternative("<p>Grüße</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="statement.pdf")
    await send(box, message)

    items = (await browser.get("/mailbox/messages")).json()["items"]
    assert len(items) == 1
    assert items[0]["subject"] == "Überweisung €"
    assert items[0]["sender"] == "no-reply@lendery.test"
    assert items[0]["recipients"] == ["ada@lendery.test", "hidden@lendery.test"]
    assert "Grüße" in items[0]["text"]
    assert items[0]["html"].strip() == "<p>Grüße</p>"
    assert items[0]["attachments"] == [{"filename": "statement.pdf", "content_type": "application/pdf", "size_bytes": 4}]
    assert (await browser.get(f"/mailbox/messages/{items[0]['id']}")).json() == items[0]


async def test_letters_are_found_by_recipient_newest_first(box: LetterBox, browser: httpx.AsyncClient) -> None:
    await send(box, letter("1"), letter("2", to="bo@lendery.test"), letter("3"), letter("4"))

    answer = await browser.get("/mailbox/messages", params={"to": "ADA@lendery.test", "limit": 2})
    assert [item["subject"] for item in answer.json()["items"]] == ["4", "3"]
    nobody = await browser.get("/mailbox/messages", params={"to": "nobody@lendery.test"})
    assert nobody.json() == {"items": []}


async def test_letters_survive_a_restart(box: LetterBox, tmp_path: Path) -> None:
    await send(box, letter("kept"), letter("other", to="bo@lendery.test"))
    reopened = LetterBox(tmp_path / "mailbox")
    assert [found.subject for found in reopened.recent(to="ada@lendery.test")] == ["kept"]
    assert len(reopened.recent()) == 2


async def test_only_so_many_are_kept(tmp_path: Path, browser: httpx.AsyncClient) -> None:
    box = LetterBox(tmp_path / "small", capacity=3)
    ids = [box.keep("a@lendery.test", ["b@lendery.test"], letter(str(number)).as_bytes()) for number in range(5)]
    assert [found.subject for found in box.recent()] == ["4", "3", "2"]
    assert box.read(ids[0]) is None
    assert len(list((tmp_path / "small").iterdir())) == 3


async def test_the_pages_show_a_letter_without_running_anything_in_it(box: LetterBox, browser: httpx.AsyncClient) -> None:
    message = letter("<script>alert(1)</script>", text="https://lendery.test/verify?token=abc")
    message.add_alternative('<script>alert(2)</script><b title="x">Hi</b>', subtype="html")
    await send(box, message)

    listed = await browser.get("/mailbox")
    assert listed.status_code == 200
    assert "<script>" not in listed.text
    assert "&lt;script&gt;alert(1)" in listed.text
    (kept,) = box.recent()
    shown = await browser.get(f"/mailbox/read/{kept.id}")
    assert "<script>" not in shown.text
    assert 'sandbox="allow-popups' in shown.text
    assert '<a href="https://lendery.test/verify?token=abc"' in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/mailbox/messages/{}", "/mailbox/read/{}"])
async def test_a_letter_that_is_not_there_is_a_problem(path: str, browser: httpx.AsyncClient) -> None:
    answer = await browser.get(path.format(uuid4()))
    assert answer.status_code == 404
    assert answer.json()["code"] == "letter_not_found"


async def test_bad_parameters_are_refused(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/mailbox/messages", params={"limit": 0})).status_code == 422
    assert (await browser.get("/mailbox/messages/../../etc/passwd")).status_code == 404
    assert (await browser.get("/mailbox/messages/not-an-id")).status_code == 422


async def test_an_empty_mailbox_says_so(browser: httpx.AsyncClient) -> None:
    assert "No letter yet" in (await browser.get("/mailbox/")).text


async def test_letters_of_any_bytes_are_kept(box: LetterBox, browser: httpx.AsyncClient) -> None:
    for content in (b"", b"no header at all", b"Subject: \xff\xfe\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff"):
        assert isinstance(box.keep("a@lendery.test", ["b@lendery.test"], content), UUID)
    answer = await browser.get("/mailbox/messages")
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 3
    assert (await browser.get("/mailbox")).status_code == 200


async def test_a_taken_port_is_an_error(box: LetterBox) -> None:
    async with catch_mail(box) as port:
        with pytest.raises(OSError, match="in use"):
            async with catch_mail(box, port=port):
                pass
