"""Who sends text messages, as the environment says it."""

import pytest
from pydantic import SecretStr, ValidationError

from services.notifications.main import build
from services.notifications.providers.africastalking.account import Account
from services.notifications.providers.local_phone.client import LocalPhone
from services.notifications.providers.no_phone import NoPhone
from services.notifications.settings import Settings
from tests.support.identity import platform_for_tests

PRODUCTION = {
    "env": "production",
    "public_url": "https://lendery.example.org",
    "smtp_url": SecretStr("smtps://mail.example.org"),
    "mail_from": "no-reply@example.org",
    "encryption_keys": SecretStr("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
    "database_url": SecretStr("postgresql://db.example.org/lendery"),
}


def test_an_account_is_one_url() -> None:
    account = Account.parse("africastalking://lendery:a%2Fkey@api.africastalking.com?from=LENDERY")
    assert account == Account("https://api.africastalking.com", "lendery", "a/key", "LENDERY")
    assert "a/key" not in repr(account)
    assert Account.parse("africastalking://u:k@api.sandbox.africastalking.com").sender is None


@pytest.mark.parametrize(
    "url", ["https://u:secret-key@api.africastalking.com", "africastalking://u@host", "africastalking://u:secret-key@host?to=x"]
)
def test_an_unreadable_url_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(sms_url=SecretStr(url))
    assert "secret-key" not in str(refusal.value)
    assert "LENDERY_SMS_URL must look like" in str(refusal.value)


def test_production_never_shows_messages_in_a_mailbox() -> None:
    production = build(Settings(**PRODUCTION), platform_for_tests())
    assert isinstance(production.context.sms, NoPhone)
    local = build(Settings(env="test"), platform_for_tests())
    assert isinstance(local.context.sms, LocalPhone)
