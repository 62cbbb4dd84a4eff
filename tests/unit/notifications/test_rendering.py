"""Templates: hostile values, missing values, languages, and the letters that auth asks for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.notifications.domain.announcements import announcements_of
from services.notifications.domain.texts import cleaned
from services.notifications.domain.words import Words
from services.notifications.rendering import Renderer, Unrenderable
from tests.unit.notifications.samples import transfer


def _received() -> dict[str, Any]:
    """The values of a transfer, as for its receiver, but for the sender's name."""
    return announcements_of(transfer())[1].values_of(transfer())


HOSTILE = '<script>alert(1)</script>"><a href=https://evil.example>'
RENDERER = Renderer("https://lendery.example.org/")
SECRET = "https://lendery.example.org/v1/auth/pages/verify-email?token=abc&x=1"

# What auth seals into SendEmail, letter by letter.
AUTH_SENDS = {
    "verify_email": {"full_name", "link"},
    "password_reset": {"full_name", "link"},
    "registration_repeated": {"full_name", "link"},
    "password_changed": {"full_name", "changed_at"},
}


@pytest.mark.parametrize("expires_at", [None, datetime(2026, 2, 1, 14, 5, tzinfo=UTC)])
@pytest.mark.parametrize("template", AUTH_SENDS)
def test_the_letters_of_auth_render_with_exactly_what_auth_sends(template: str, expires_at: datetime | None) -> None:
    """No value is missing, and a link stands in both forms."""
    data = {key: f"some {key}" for key in AUTH_SENDS[template]} | {"link": SECRET}
    words = RENDERER.words(template, "en", {**data, "expires_at": expires_at})
    content = RENDERER.email(words, "en", full_name="Amina", link=data["link"])
    assert words.action
    assert SECRET in content.text
    assert 'href="' + SECRET.replace("&", "&amp;") + '"' in content.html
    assert ("1 February 2026, 14:05 UTC" in content.text) == (
        expires_at is not None and template in {"verify_email", "password_reset"}
    )


def test_hostile_words_stay_words() -> None:
    """Whatever somebody called themselves, the HTML has no element of theirs and the text no line of theirs."""
    values = _received() | cleaned({"sender_name": f"{HOSTILE}\n\nPay here: https://evil.example"})
    words = RENDERER.words("transfer_received", "en", values)
    content = RENDERER.email(words, "en", full_name=HOSTILE, link="/wallets/1")
    assert "<script" not in content.html
    assert "<a href=https://evil" not in content.html
    assert "&lt;script&gt;" in content.html
    assert len(content.html.split("<a ")) == 3
    assert not [line for line in content.text.splitlines() if line.startswith("Pay here")]


def test_a_value_cannot_add_a_fact_or_run_as_a_template() -> None:
    """Facts are lines of the template, and values are one line each."""
    values = _received() | cleaned({"sender_name": "A\nFee: KES 0.01\n{{ 7 * 7 }}"})
    words = RENDERER.words("transfer_received", "en", values)
    assert [label for label, _ in words.facts] == ["Amount", "From", "Received", "Transfer"]
    assert dict(words.facts)["From"] == "A Fee: KES 0.01 {{ 7 * 7 }}"


def test_a_missing_value_is_an_error_that_names_it() -> None:
    """Never an empty place in a letter."""
    values = _received()
    with pytest.raises(Unrenderable, match=r"transfer_received: UndefinedError in summary: 'sender_name' is undefined"):
        RENDERER.words("transfer_received", "en", values)


@pytest.mark.parametrize("name", ["nothing_like_this", "../../settings", "layout.html", "", "en/welcome"])
def test_an_unknown_template_is_an_error(name: str) -> None:
    """Names come from other services' commands."""
    with pytest.raises(Unrenderable):
        RENDERER.words(name, "en", {})


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://a.example/\r\nBcc: x", "data:text/html,x", "ftp://x", ""])
def test_a_link_is_an_address_of_the_web(link: str) -> None:
    """Anything else is refused."""
    with pytest.raises(Unrenderable):
        RENDERER.email(Words("title", "summary"), "en", full_name=None, link=link)


@pytest.mark.parametrize(
    ("language", "title"),
    [("sw", "Karibu"), ("sw-KE", "Karibu"), ("SW", "Karibu"), ("en-GB", "Welcome"), ("fr", "Welcome"), ("../sw", "Welcome")],
)
def test_a_language_falls_back_to_english(tmp_path: Path, language: str, title: str) -> None:
    """First the exact tag, then its language, then English."""
    for folder, word in (("en", "Welcome"), ("sw", "Karibu")):
        (tmp_path / folder).mkdir()
        block = "{% block title %}" + word + "{% endblock %}{% block summary %}.{% endblock %}"
        (tmp_path / folder / "welcome.j2").write_text(block)
    assert Renderer("http://localhost", tmp_path).words("welcome", language, {}).title == title


def test_templates_run_in_a_sandbox(tmp_path: Path) -> None:
    """A template cannot reach Python."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "bad.j2").write_text("{% block title %}{{ ''.__class__.__mro__ }}{% endblock %}")
    values: dict[str, Any] = {}
    with pytest.raises(Unrenderable):
        Renderer("http://localhost", tmp_path).words("bad", "en", values)
