"""Attacks that send people from our address to somebody else's."""

import pytest

from services.auth.domain.problems import ReturnAddressNotAllowed
from services.auth.domain.sign_on import return_address, with_outcome

OURS = "http://localhost:8000"
ALLOWED = frozenset({OURS, "https://app.lendery.test"})

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "http:\\\\evil.example/",
    "https://app.lendery.test@evil.example/",
    "https://app.lendery.test:443@evil.example/",
    "https://app.lendery.test.evil.example/",
    "https://evil.example/https://app.lendery.test",
    "https://evil.example#https://app.lendery.test",
    "https://app.lendery.test\\.evil.example/",
    "https://app.lendery.test%2eevil.example/",
    "https://app.lendery.test:8443/",
    "http://app.lendery.test/",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "JaVaScRiPt:alert(1)",
    " https://evil.example/",
    "\thttps://evil.example/",
    "/\t/evil.example/",
    "/ok\r\nLocation: https://evil.example/",
    "https://аpp.lendery.test/",
    "https://[::1/",
    "evil.example",
    "x" * 2000,
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_return_address_elsewhere(address: str) -> None:
    with pytest.raises(ReturnAddressNotAllowed):
        return_address(address, OURS, ALLOWED)


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        (None, f"{OURS}/"),
        ("", f"{OURS}/"),
        ("/done?tab=1#x", f"{OURS}/done?tab=1#x"),
        ("https://app.lendery.test/done", "https://app.lendery.test/done"),
        ("HTTPS://APP.lendery.test/done", "HTTPS://APP.lendery.test/done"),
    ],
)
def test_return_addresses_of_ours(wanted: str | None, address: str) -> None:
    assert return_address(wanted, OURS, ALLOWED) == address


def test_an_outcome_that_was_smuggled_in_is_replaced() -> None:
    address = with_outcome(f"{OURS}/done?sso_code=mine&tab=1", sso_error="access_denied")
    assert address == f"{OURS}/done?tab=1&sso_error=access_denied"
