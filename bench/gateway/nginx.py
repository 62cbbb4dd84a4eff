"""nginx twice: the upstream of everything that is measured, and `proxy_pass` before it, the yardstick. One worker each."""

import json
import os
from pathlib import Path

_BODY_BYTES = 1024
_WALLET = {
    "id": "01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77",
    "currency": "KES",
    "name": "Home",
    "balance": 1_250_000,
    "available": 1_000_000,
    "held": 250_000,
    "opened_at": "2026-01-31T09:30:00Z",
}


def answer_body() -> str:
    """A JSON document of exactly 1 KB, such as a short list of wallets."""
    wallets: list[dict[str, object]] = [dict(_WALLET) for _ in range(5)]
    document = {"items": wallets, "next_cursor": ""}
    document["next_cursor"] = "x" * (_BODY_BYTES - len(json.dumps(document)))
    return json.dumps(document)


def upstream_configuration(port: int, home: Path, key_set: str) -> str:
    """Answers every request with the same JSON, from memory; and publishes the keys that tokens are checked with."""
    return _configuration(
        home,
        f"""
        server {{
          listen 127.0.0.1:{port} backlog=4096;
          default_type application/json;
          location / {{ return 200 '{answer_body()}'; }}
          location = /.well-known/jwks.json {{ return 200 '{key_set}'; }}
        }}""",
    )


def proxy_configuration(port: int, upstream_port: int, home: Path) -> str:
    """Passes every request on, over connections that stay open."""
    return _configuration(
        home,
        f"""
        upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 128; keepalive_requests 1000000000; }}
        server {{
          listen 127.0.0.1:{port} backlog=4096;
          location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        }}""",
    )


def _configuration(home: Path, servers: str) -> str:
    as_root = "user root;" if os.geteuid() == 0 else ""  # its default user may not look into our directory
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    return f"""{as_root}
      daemon off; master_process on; worker_processes 1; worker_rlimit_nofile 8192;
      pid {home}/pid; error_log {home}/error.log;
      events {{ worker_connections 4096; }}
      http {{
        access_log off; keepalive_timeout 300s; keepalive_requests 1000000000; {temporary}
        {servers}
      }}
    """
