"""What auth writes about second factors can be said, and a code stands only where its reader looks for it."""

from datetime import UTC, datetime

import pytest

from services.notifications.domain.text_message import LONGEST_TEXT
from services.notifications.rendering import Renderer, Unrenderable

RENDERER = Renderer("https://lendery.example.org")
EXPIRES_AT = datetime(2026, 1, 31, 12, 10, tzinfo=UTC)
CHANGED = {"method": "totp", "changed_at": "2026-01-31 12:00 UTC"}


@pytest.mark.parametrize(
    ("template", "data"),
    [
        ("factor_added", CHANGED),
        ("factor_removed", CHANGED),
        ("factor_attacked", {"method": "totp"}),
        ("recovery_code_used", {"used_at": "2026-01-31 12:00 UTC", "left": "9"}),
        ("recovery_codes_replaced", {"changed_at": "2026-01-31 12:00 UTC"}),
        ("passkey_suspected", {"passkey": "My phone"}),
        ("factor_reset_requested", {"asked_at": "2026-01-31 12:00 UTC"}),
        ("factor_reset_approved", {"due_at": "2026-02-01 12:00 UTC"}),
        ("factor_reset_declined", {"declined_at": "2026-01-31 12:00 UTC"}),
        ("factor_reset_stopped", {"stopped_at": "2026-01-31 12:00 UTC"}),
        ("factors_reset", {"changed_at": "2026-01-31 12:00 UTC"}),
        ("login_code", {"code": "804213"}),
        ("factor_code", {"code": "804213"}),
    ],
)
def test_each_letter_can_be_written_from_what_auth_gives(template: str, data: dict[str, str]) -> None:
    words = RENDERER.words(template, "en", {**data, "full_name": "Amina Wanjiru", "expires_at": EXPIRES_AT})
    letter = RENDERER.email(words, "en", full_name="Amina Wanjiru", link="/")
    for value in data.values():
        assert value in letter.text
        assert value in letter.html
    assert "804213" not in letter.subject  # which a locked screen shows
    with pytest.raises(Unrenderable):
        RENDERER.words(template, "en", {})


@pytest.mark.parametrize("template", ["login_code", "phone_code"])
def test_a_code_fits_into_one_text_message(template: str) -> None:
    words = RENDERER.words(template, "en", {"code": "804213", "expires_at": EXPIRES_AT})
    assert "804213" in words.summary
    assert len(words.summary) <= LONGEST_TEXT
    assert words.summary.isascii()  # else a message holds 70 characters
