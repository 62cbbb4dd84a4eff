"""An account with Africa's Talking, as one URL."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

SCHEME = "africastalking"
_EXPECTED = "LENDERY_SMS_URL must look like africastalking://username:api_key@api.africastalking.com?from=SENDER"


@dataclass(frozen=True)
class Account:
    """`sender` is the registered name or short code that people see."""

    base_url: str
    username: str
    api_key: str = field(repr=False)
    sender: str | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `africastalking://username:api_key@host[:port][?from=SENDER]`; plain HTTP only to this machine.

        Raises `ValueError`, without the URL in it: there is a key inside.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        if parts.scheme != SCHEME or not parts.hostname or not parts.username or not parts.password or set(options) - {"from"}:
            raise ValueError(_EXPECTED)
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        scheme = "http" if parts.hostname in ("127.0.0.1", "localhost") else "https"
        return cls(
            base_url=f"{scheme}://{host}",
            username=unquote(parts.username),
            api_key=unquote(parts.password),
            sender=options.get("from", [None])[-1],
        )
