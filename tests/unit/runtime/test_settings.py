"""What is refused of the environment, and how it is told."""

import pytest

from runtime.database import given_url
from runtime.settings import read_settings
from runtime.trouble import ExitCode, Trouble


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL: must begin with postgresql://"),
        ("DATABASE_URL", "mysql://somewhere/x", "DATABASE_URL: must begin with postgresql://"),
        ("AMQP_URL", "http://somewhere", "AMQP_URL: must begin with amqp:// or amqps://"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL: must begin with redis://"),
        ("LENDERY_HOME_CURRENCY", "XXZ", "LENDERY_HOME_CURRENCY: must be an ISO 4217 code"),
        ("LENDERY_PORT", "80800", "LENDERY_PORT: "),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Trouble) as trouble:
        read_settings()
    assert trouble.value.exit_code == ExitCode.USAGE
    assert told in trouble.value.message
    assert value not in trouble.value.message


def test_production_names_everything_that_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ENV", "production"), ("AUTO_VERIFY", "1"), ("SIMULATION", "1"), ("PUBLIC_URL", "http://here")):
        monkeypatch.setenv(f"LENDERY_{name}", value)
    with pytest.raises(Trouble) as trouble:
        read_settings()
    for name in ("LENDERY_AUTO_VERIFY", "LENDERY_SIMULATION", "LENDERY_PUBLIC_URL"):
        assert name in trouble.value.message


@pytest.mark.parametrize("url", ["nonsense", "mysql://somewhere/x", "postgresql://host:port/x"])
def test_what_is_no_database_address_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(Trouble) as trouble:
        given_url()
    assert trouble.value.exit_code == ExitCode.USAGE
    assert url not in trouble.value.message
