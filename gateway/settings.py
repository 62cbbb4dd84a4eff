"""The gateway's configuration."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from gateway.addresses import Network
from gateway.limits import Limit
from gateway.own_limits import OWN_LIMITS
from shared.settings import CommonSettings

PRODUCTION_LIMITS: Mapping[str, Limit] = {
    "sign_in": Limit(120, 60),
    "public": Limit(300, 60),
    "read": Limit(1200, 60),
    "write": Limit(300, 60),
    "heavy": Limit(60, 60),
    "webhook": Limit(3000, 60),
    "page": Limit(600, 60),
    "new_token": Limit(3000, 60),
    **OWN_LIMITS,
}
"""By route class; those of single routes are in `own_limits`. `new_token` counts, per address, access tokens that this process
has not verified before."""
_LAPTOP_LIMITS: Mapping[str, Limit] = {name: Limit(120_000, 60) for name in PRODUCTION_LIMITS} | {"sign_in": Limit(3000, 60)}
"""On a laptop and in tests every client has the same address."""


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class Settings(CommonSettings):
    """Where the services are, and what the edge lets through.

    Lists come separated by commas; limits as `class=requests/seconds`, such as `sign_in=60/60,read=600/60`.
    """

    auth_url: str
    wallet_ledger_url: str
    lending_url: str
    payments_url: str
    notifications_url: str
    sandbox_url: str | None = None
    mailbox_url: str | None = None
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    gateway_limits: Annotated[dict[str, Limit], NoDecode] = Field(default_factory=dict)
    gateway_routes_file: Path | None = None
    gateway_max_in_flight: int = Field(4096, ge=1)
    """Requests being answered at once, event streams apart: more get 503 at once instead of a long wait."""
    gateway_max_streams: int = Field(10_000, ge=1)
    gateway_drain_seconds: int = Field(40, ge=1)
    """After SIGTERM, for the requests under way: as long as the longest `Prefer: wait` and a little more."""
    gateway_max_address_bytes: int = Field(8192, ge=256)
    gateway_connect_timeout_seconds: float = Field(2.0, gt=0)
    gateway_body_timeout_seconds: float = Field(30.0, gt=0)
    gateway_breaker_failures: int = Field(5, ge=1)
    gateway_breaker_seconds: float = Field(5.0, gt=0)
    gateway_keepalive_seconds: float = Field(4.0, gt=0)
    """Idle connections to services are closed after this: before uvicorn closes them (5 s), so the two never race."""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        return _words(value)

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in value:
            raise ValueError("name each origin: any origin together with credentials would open every account")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        words = _words(value)
        return [ip_network(word) if isinstance(word, str) else word for word in words] if isinstance(words, list) else words

    @field_validator("gateway_limits", mode="before")
    @classmethod
    def _parsed_limits(cls, value: object) -> object:
        words = _words(value)
        if not isinstance(words, list):
            return words
        return {name: Limit.parse(text) for name, _, text in (word.partition("=") for word in words)}

    @field_validator("gateway_limits")
    @classmethod
    def _known_limits(cls, value: dict[str, Limit]) -> dict[str, Limit]:
        if unknown := value.keys() - PRODUCTION_LIMITS.keys():
            raise ValueError(f"unknown limit {', '.join(sorted(unknown))}; there are {', '.join(PRODUCTION_LIMITS)}")
        return value

    @property
    def limits(self) -> dict[str, Limit]:
        """The limit of every route class."""
        return {**(PRODUCTION_LIMITS if self.production else _LAPTOP_LIMITS), **self.gateway_limits}

    @property
    def upstreams(self) -> dict[str, str]:
        """Base URL of each service, without a slash at the end. The sandbox and the mailbox never exist in production."""
        urls = {
            "auth": self.auth_url,
            "wallet_ledger": self.wallet_ledger_url,
            "lending": self.lending_url,
            "payments": self.payments_url,
            "notifications": self.notifications_url,
        }
        if not self.production:
            urls |= {name: url for name, url in (("sandbox", self.sandbox_url), ("mailbox", self.mailbox_url)) if url}
        return {name: url.rstrip("/") for name, url in urls.items()}
