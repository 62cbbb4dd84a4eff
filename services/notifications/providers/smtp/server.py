"""The address of a mail server, as one URL."""

import ipaddress
from dataclasses import dataclass, field
from typing import Literal, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

StartTls = Literal["required", "offered", "never"]

_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class SmtpServer:
    """Where e-mails go. `tls` is TLS from the first byte; `start_tls` is what to do about it on a plain connection."""

    host: str
    port: int
    tls: bool
    start_tls: StartTls
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `smtp[s]://[user:password@]host[:port][?starttls=required|offered|never]`.

        Raises `ValueError`, without the URL in it: there may be a password inside.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("LENDERY_SMTP_URL must look like smtp://user:password@host:port or smtps://…")
        if set(options) - {"starttls"}:
            raise ValueError("LENDERY_SMTP_URL knows one option: starttls")
        tls = parts.scheme == "smtps"
        default = "never" if tls or _on_this_machine(parts.hostname) else "required"
        start_tls = options.get("starttls", [default])[-1]
        if start_tls not in ("required", "offered", "never") or (tls and start_tls != "never"):
            raise ValueError("starttls in LENDERY_SMTP_URL must be required, offered or never; smtps:// needs none")
        return cls(
            host=parts.hostname,
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            tls=tls,
            start_tls=cast(StartTls, start_tls),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
