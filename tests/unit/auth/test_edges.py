"""Fields, client addresses and settings."""

import base64
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from services.auth.api.fields import Country, Phone, TimeZone
from services.auth.settings import LOCAL_ADMIN_PASSWORD, LOCAL_STORAGE_URL, Settings
from shared.http.client_address import client_address
from shared.http.schemas import EmailAddress

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Amina@Example.COM", "amina@example.com"),
        ("admin@lendery.test", "admin@lendery.test"),
        ("a.b+tag@sub.lendery.test", "a.b+tag@sub.lendery.test"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
    ],
)
def test_addresses_that_are_accepted(given: str, kept: str) -> None:
    assert TypeAdapter(EmailAddress).validate_python(given) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.c",
        "a@b",
        "a b@example.com",
        "a@exam ple.com",
        "<a@example.com>",
        "a@example.com\n",
        "ä@example.com",
        "a@[127.0.0.1]",
    ],
)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EmailAddress).validate_python(address)


def test_other_fields() -> None:
    assert TypeAdapter(Phone).validate_python("+254 (712) 345-678") == "+254712345678"
    assert TypeAdapter(Country).validate_python("ke") == "KE"
    assert TypeAdapter(TimeZone).validate_python("UTC") == "UTC"
    for zone in ("", "/etc/passwd", "../x", "Mars"):
        with pytest.raises(ValidationError):
            TypeAdapter(TimeZone).validate_python(zone)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "192.0.2.1", "203.0.113.7"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_the_client_behind_the_gateway(peer: str, forwarded_for: str, address: str) -> None:
    assert client_address(peer, forwarded_for, TRUSTED) == address


KEYS = SecretStr("k:" + base64.urlsafe_b64encode(bytes(range(32))).decode())
PRODUCTION: dict[str, Any] = {
    "env": "production",
    "public_url": "https://lendery.example",
    "encryption_keys": KEYS,
    "storage_url": "s3://lendery-files",
}


def test_production_settings() -> None:
    settings = Settings(**PRODUCTION)
    assert settings.first_admin_password is None
    given = Settings(**PRODUCTION, admin_password=SecretStr("a strong one of our own"))
    assert given.first_admin_password == "a strong one of our own"
    assert "a strong one" not in repr(given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encryption_keys": None}, "LENDERY_ENCRYPTION_KEYS"),
        ({"admin_password": SecretStr(LOCAL_ADMIN_PASSWORD)}, "local default"),
        ({"admin_password": SecretStr("short")}, "at least 10"),
        ({"auto_verify": True}, "AUTO_VERIFY"),
        ({"storage_url": LOCAL_STORAGE_URL}, "LENDERY_STORAGE_URL is needed"),
        ({"storage_url": "/files"}, "LENDERY_STORAGE_URL must be"),
        ({"auth_kyc_provider": "sandbox"}, "LENDERY_AUTH_KYC_PROVIDER"),
        ({"public_url": "http://lendery.example"}, "https"),
        ({"auth_access_token_seconds": 901}, "900"),
        ({"auth_trusted_proxies": "everywhere"}, "everywhere"),
    ],
)
def test_production_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**{**PRODUCTION, **changes})


def test_local_settings_need_nothing() -> None:
    assert Settings(env="local").first_admin_password == LOCAL_ADMIN_PASSWORD
