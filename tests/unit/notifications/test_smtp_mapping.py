"""What an SMTP answer means, the server's URL, and what settings are refused."""

import aiosmtplib
import pytest
from pydantic import SecretStr, ValidationError

from services.notifications.domain.texts import money_text, percent_text
from services.notifications.providers.base import Deferred, Outcome, Refused, Unreachable
from services.notifications.providers.smtp.mapping import outcome_of
from services.notifications.providers.smtp.server import SmtpServer
from services.notifications.settings import Settings


def _rcpt(code: int, text: str) -> BaseException:
    return aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(code, text, "amina@example.org")])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (_rcpt(450, "4.2.0 amina@example.org greylisted"), Deferred("450 4.2.0")),
        (_rcpt(550, "5.1.1 amina@example.org unknown"), Refused("550 5.1.1")),
        (_rcpt(550, "no such user amina@example.org"), Refused("550")),
        (aiosmtplib.SMTPDataError(554, "5.7.1 spam"), Refused("554 5.7.1")),
        (aiosmtplib.SMTPDataError(452, "full"), Deferred("452")),
        (aiosmtplib.SMTPDataError(-1, "nonsense"), Deferred("-1")),
        (aiosmtplib.SMTPSenderRefused(550, "5.7.1 not yours", "no-reply@x.example"), Deferred("550 5.7.1")),
        (aiosmtplib.SMTPSenderRefused(552, "5.3.4 too big", "no-reply@x.example"), Refused("552 5.3.4")),
        (aiosmtplib.SMTPSenderRefused(530, "5.7.0 log in", "no-reply@x.example"), Unreachable("530 5.7.0")),
        (aiosmtplib.SMTPAuthenticationError(535, "5.7.8 wrong"), Unreachable("535 5.7.8")),
        (aiosmtplib.SMTPHeloError(501, "who"), Unreachable("501")),
        (aiosmtplib.SMTPServerDisconnected("gone"), Deferred("SMTPServerDisconnected", unknown=True)),
        (aiosmtplib.SMTPReadTimeoutError("late"), Deferred("SMTPReadTimeoutError", unknown=True)),
        (ConnectionResetError(), Deferred("ConnectionResetError", unknown=True)),
        (aiosmtplib.SMTPNotSupported("SMTPUTF8"), Refused("address_not_supported")),
        (ValueError("amina@example.org"), Refused("invalid_address")),
    ],
)
def test_outcomes(error: BaseException, outcome: Outcome) -> None:
    """4xx later, 5xx never, our own mistakes when they are mended; and no address in the reason."""
    assert outcome_of(error) == outcome
    assert "amina" not in repr(outcome)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025, tls=False, start_tls="never")),
        ("smtp://localhost", SmtpServer("localhost", 587, tls=False, start_tls="never")),
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 587, tls=False, start_tls="required")),
        ("smtp://relay:25?starttls=never", SmtpServer("relay", 25, tls=False, start_tls="never")),
        (
            "smtps://a%40b.example:p%3Aw%2F@mail.example.org",
            SmtpServer("mail.example.org", 465, tls=True, start_tls="never", username="a@b.example", password="p:w/"),
        ),
    ],
)
def test_urls(url: str, server: SmtpServer) -> None:
    """TLS is wanted unless the server is this machine or the URL says otherwise."""
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://x",
        "smtp://",
        "mail.example.org:25",
        "smtp://x?tls=1",
        "smtp://x?starttls=maybe",
        "smtp://x:99999",
        "smtps://x?starttls=required",
    ],
)
def test_wrong_urls_are_refused_without_being_quoted(url: str) -> None:
    """There may be a password in it."""
    with pytest.raises(ValidationError) as refused:
        Settings(smtp_url=SecretStr(url.replace("//", "//u:hidden@")))
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("sender", ["nobody", "a@b.example\nBcc: c@d.example", "a@b.example, c@d.example", ""])
def test_a_wrong_sender_is_refused(sender: str) -> None:
    """One address, with or without a name."""
    with pytest.raises(ValidationError):
        Settings(mail_from=sender)


def test_production_wants_a_mail_server_and_a_sender() -> None:
    """The defaults are for a laptop."""
    production = {"env": "production", "public_url": "https://lendery.example.org"}
    with pytest.raises(ValidationError, match="LENDERY_SMTP_URL"):
        Settings(**production, mail_from="no-reply@lendery.example.org")
    with pytest.raises(ValidationError, match="LENDERY_MAIL_FROM"):
        Settings(**production, smtp_url=SecretStr("smtps://u:p@mail.example.org"))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (12_500, "KES", "KES 125.00"),
        (123_456_789, "KES", "KES 1,234,567.89"),
        (5, "KES", "KES 0.05"),
        (-5, "KES", "KES −0.05"),
        (1_250, "JPY", "JPY 1,250"),
        (1_234_567, "KWD", "KWD 1,234.567"),
        (10**15, "USD", "USD 10,000,000,000,000.00"),
    ],
)
def test_money(amount_minor: int, currency: str, text: str) -> None:
    """Each currency with its own decimals, never through a float."""
    assert money_text(amount_minor, currency) == text


def test_percent() -> None:
    """No superfluous zeros, no exponent."""
    assert [percent_text(rate) for rate in ("0.1850", "0.2", "1", "0", "0.1")] == ["18.5 %", "20 %", "100 %", "0 %", "10 %"]
