"""E-mails on the wire: headers nobody can inject into, addresses, waits."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.letter import Content, Letter, is_address, mime_message, retry_after
from services.notifications.domain.texts import name_text, one_line
from tests.unit.notifications.samples import AT, uuid

SENDER = Address("Lendery", addr_spec="no-reply@lendery.example")


def _letter(recipient: str = "amina@example.org", subject: str = "Hello") -> Letter:
    return Letter(uuid(7), "welcome", recipient, Content(subject, "text\n.\n— ü", "<p>ü</p>"), AT, AT + timedelta(days=1))


def test_a_message_has_its_own_id_and_both_forms() -> None:
    """The id is the letter's, so that every attempt is the same message."""
    wire = mime_message(_letter(), SENDER).as_bytes()
    read = message_from_bytes(wire, policy=default)
    assert read["Message-ID"] == f"<{uuid(7)}@lendery.example>"
    assert read["From"] == "Lendery <no-reply@lendery.example>"
    assert read["To"] == "amina@example.org"
    assert read["Date"].datetime == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    assert read["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert read.get_body(("plain",)).get_content().replace("\r\n", "\n") == "text\n.\n— ü\n"
    assert all(len(line) <= 998 for line in wire.splitlines())


@given(st.text(max_size=500))
def test_no_subject_can_add_a_header(subject: str) -> None:
    """Whatever the words are, there are the same headers."""
    read = message_from_bytes(mime_message(_letter(subject=subject), SENDER).as_bytes(), policy=default)
    expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    assert [name for name in read if name != "Content-Transfer-Encoding"] == expected


@pytest.mark.parametrize(
    "recipient",
    [
        "a@b.example\r\nBcc: all@example.org",
        "a@b.example\nRCPT TO:<x@y.example>",
        "a@b.example,c@d.example",
        "<a@b.example>",
        "A <a@b.example>",
        "a b@c.example",
        '"a b"@c.example',
        "a@b@c.example",
        "@c.example",
        "a@",
        "a",
        "",
        "a@b.exa\x00mple",
        "a@b.exa\u2028mple",
        "x" * 65 + "@c.example",
    ],
)
def test_what_is_no_address_is_refused(recipient: str) -> None:
    """Before it gets near a header or an SMTP command."""
    assert not is_address(recipient)
    with pytest.raises(ValueError, match="not an e-mail address"):
        mime_message(_letter(recipient), SENDER)


@pytest.mark.parametrize(
    ("recipient", "shown"),
    [
        ("first.last+tag@mail.example.org", "first.last+tag@mail.example.org"),
        ("o'neill@example.org", "o'neill@example.org"),
        ("amina@bücher.example", "amina@xn--bcher-kva.example"),
    ],
)
def test_addresses_of_all_kinds(recipient: str, shown: str) -> None:
    """Domains beyond ASCII are written as DNS knows them."""
    assert mime_message(_letter(recipient), SENDER)["To"].addresses[0].addr_spec == shown


@given(st.text(max_size=1000), st.integers(5, 400))
def test_one_line_is_one_line(text: str, longest: int) -> None:
    """No control, separator or direction character survives."""
    line = one_line(text, longest)
    assert len(line) <= longest
    assert line.isprintable()
    assert line == line.strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Amina Wanjiru", "Amina Wanjiru"),
        ("J. R. O’Neill-Smith", "J. R. O’Neill-Smith"),
        ("محمد رضایی", "محمد رضایی"),
        ("Win at https://evil.example/now", "Win at https evil. example now"),
        ("a@evil.example", "a evil. example"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_a_name_is_no_link(name: str, shown: str) -> None:
    """Mail programs make links of what looks like one."""
    assert name_text(name) == shown


def test_waits_double_up_to_half_an_hour() -> None:
    """10 s, 20 s, …, 30 min."""
    assert [retry_after(attempt).total_seconds() for attempt in (1, 2, 3, 8, 9, 500)] == [10, 20, 40, 1280, 1800, 1800]
