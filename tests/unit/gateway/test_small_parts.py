"""Breaker, addresses, settings."""

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.addresses import client_address, is_direct_loopback, limited_address
from gateway.limits import Limit
from gateway.settings import Settings
from shared.breaker import Breaker

URLS = {f"{name}_url": f"http://{name}:8000/" for name in ("auth", "wallet_ledger", "lending", "payments", "notifications")}


def test_the_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(failures=2, seconds=5)
    breaker.failed(0)
    breaker.succeeded()
    breaker.failed(1)
    assert not breaker.open
    assert breaker.wait_seconds(1) == 0
    breaker.failed(2)
    assert breaker.open
    assert breaker.wait_seconds(3) == 4


def test_an_open_breaker_lets_one_request_through_each_time() -> None:
    breaker = Breaker(failures=1, seconds=5)
    breaker.failed(0)
    assert breaker.wait_seconds(4.9) > 0
    assert breaker.wait_seconds(5) == 0
    assert breaker.wait_seconds(5.1) == pytest.approx(4.9)  # the one is still under way
    assert breaker.wait_seconds(10) == 0  # or it was lost: another may try
    breaker.failed(10)
    assert breaker.wait_seconds(14) == 1
    assert breaker.wait_seconds(15) == 0
    breaker.succeeded()
    assert breaker.wait_seconds(15) == 0
    assert not breaker.open


def _scope(peer: str | None, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"client": (peer, 1234) if peer else None, "headers": list(headers)}


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", [], True),
        ("::1", [], True),
        ("::ffff:127.0.0.1", [], True),
        ("203.0.113.5", [], False),
        ("10.0.0.1", [], False),
        ("203.0.113.5", [(b"x-forwarded-for", b"127.0.0.1")], False),
        ("127.0.0.1", [(b"x-forwarded-for", b"203.0.113.5")], False),
        ("127.0.0.1", [(b"forwarded", b"for=1.2.3.4")], False),
        (None, [], False),
    ],
)
def test_who_is_on_this_machine(peer: str | None, headers: list[tuple[bytes, bytes]], expected: bool) -> None:
    assert is_direct_loopback(_scope(peer, *headers)) is expected


def test_forwarded_addresses_are_believed_only_from_our_proxies() -> None:
    forged = (b"x-forwarded-for", b"127.0.0.1")
    assert client_address(_scope("203.0.113.5", forged), ()) == "203.0.113.5"
    assert client_address(_scope("203.0.113.5", forged), (ip_network("10.0.0.0/8"),)) == "203.0.113.5"
    chain = (b"x-forwarded-for", b"6.6.6.6, 198.51.100.7"), (b"x-forwarded-for", b"10.0.0.9")
    assert client_address(_scope("10.0.0.1", *chain), (ip_network("10.0.0.0/8"),)) == "198.51.100.7"
    assert client_address(_scope(None), (ip_network("10.0.0.0/8"),)) == "unknown"


def test_what_limits_count() -> None:
    assert limited_address("203.0.113.5") == "203.0.113.5"
    assert limited_address("2001:db8:1:2:3:4:5:6") == limited_address("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert limited_address("::ffff:203.0.113.5") == "203.0.113.5"
    assert limited_address("unknown") == "unknown"


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, url in URLS.items():
        monkeypatch.setenv(f"LENDERY_{name.upper()}", url)
    monkeypatch.setenv("LENDERY_CORS_ORIGINS", "https://a.test, https://b.test")
    monkeypatch.setenv("LENDERY_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    monkeypatch.setenv("LENDERY_GATEWAY_LIMITS", "sign_in=5/60, read=10/1")
    monkeypatch.setenv("LENDERY_SANDBOX_URL", "http://sandbox:8000")
    settings = Settings()
    assert settings.upstreams == {name: f"http://{name}:8000" for name in (*(key[:-4] for key in URLS), "sandbox")}
    assert settings.cors_origins == ("https://a.test", "https://b.test")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert (settings.limits["sign_in"], settings.limits["read"]) == (Limit(5, 60), Limit(10, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cors_origins": "*"},
        {"trusted_proxies": "everybody"},
        {"gateway_limits": "unheard=1/1"},
        {"gateway_limits": "read=fast"},
        {"auth_url": None},
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**{**URLS, **wrong})
