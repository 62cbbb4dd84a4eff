"""The wallet-ledger service and the gateway as they are deployed: a process each, started by `lendery serve`."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk

from bench import children
from bench.closed_loop import Measured, Timing
from bench.processor import of_process, of_server
from bench.seed import Owner
from bench.server import BenchServer
from shared.identity.tokens import sign_token
from shared.ids import new_id

_ISSUER = "http://localhost:8000"
_KEY_ID = "bench"
_START_SECONDS = 60.0
_NO_LIMIT = "100000000/60"
_CLASSES = ("public", "read", "write", "new_token")


@dataclass(frozen=True)
class Deployments:
    """Where the two listen, and tokens for people."""

    service_port: int
    gateway_port: int
    private_pem: str
    profile: dict[str, Any] = field(default_factory=dict)
    """Filled when the sampled one has stopped."""
    processes: dict[str, int] = field(default_factory=dict)
    """Their ids, by name."""

    def processor_seconds(self, server: BenchServer) -> dict[str, float]:
        """What the two, and the database server, have used so far, as far as this machine tells it."""
        used: dict[str, float | None] = {name: of_process(pid) for name, pid in self.processes.items()}
        used["PostgreSQL"] = of_server(server.postmaster)
        return {name: seconds for name, seconds in used.items() if seconds is not None}

    def load(self, owners: Sequence[Owner], recipients: Sequence[Owner], port: int, timing: Timing) -> Measured:
        """Transfers over HTTP: each of `owners` on a connection of their own, to any of `recipients`."""
        senders = [{"wallet_id": str(owner.wallet_id), "token": self._token(owner.user_id)} for owner in owners]
        orders = {"port": port, "senders": senders, "recipients": [str(one.wallet_id) for one in recipients], **vars(timing)}
        return Measured(**children.run("bench.http_load", orders, os.environ, patience_seconds=timing.seconds + 60))

    def _token(self, user_id: UUID) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": "lendery",
            "sub": str(user_id),
            "jti": str(new_id()),
            "sid": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": now + 900,
            "auth_time": now,
            "roles": ["user"],
            "email_verified": True,
        }
        return sign_token(claims, private_key_pem=self.private_pem, key_id=_KEY_ID)


@contextmanager
def deployments(*, sampled: str | None = None) -> Iterator[Deployments]:
    """Start both; stopped at the end. The one named `sampled` leaves its profile. Raises `children.ChildFailed`."""
    key = ec.generate_private_key(ec.SECP256R1())
    private_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public_pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    public = {**jwk.construct(public_pem.decode(), "ES256").to_dict(), "kid": _KEY_ID, "use": "sig"}
    with ExitStack() as stack:
        keys_port = stack.enter_context(_published({"keys": [public]}))
        service_port, gateway_port = _free_port(), _free_port()
        environment = os.environ | {
            "LENDERY_ENV": "local",
            "LENDERY_PUBLIC_URL": _ISSUER,
            "LENDERY_JWKS_URL": f"http://127.0.0.1:{keys_port}/",
            "LENDERY_WALLET_LEDGER_URL": f"http://127.0.0.1:{service_port}",
            "LENDERY_GATEWAY_LIMITS": ",".join(f"{name}={_NO_LIMIT}" for name in _CLASSES),
        }
        # Nobody asks these.
        for name in ("AUTH", "LENDING", "PAYMENTS", "NOTIFICATIONS"):
            environment[f"LENDERY_{name}_URL"] = "http://127.0.0.1:9"
        deployed = Deployments(service_port, gateway_port, private_pem)
        for what, port in ((["wallet-ledger", "--role", "api"], service_port), (["gateway"], gateway_port)):
            profile = deployed.profile if what[0] == sampled else None
            process = stack.enter_context(_served(what, port, environment, profile))
            deployed.processes[what[0]] = process.pid
            if profile is not None:
                process.send_signal(signal.SIGUSR1)
        yield deployed


@contextmanager
def _published(document: Mapping[str, Any]) -> Iterator[int]:
    body = json.dumps(document).encode()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
            """Nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _served(
    what: Sequence[str], port: int, environment: Mapping[str, str], profile: dict[str, Any] | None
) -> Iterator["subprocess.Popen[bytes]"]:
    module = "runtime" if profile is None else "bench.sampled_deployment"
    command = [sys.executable, "-m", module, "serve", *what, "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            if not _answers(process, port):
                said.seek(0)
                raise children.ChildFailed(f"{what[0]} did not start: {said.read()[-2000:]}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        if profile is not None:
            said.seek(0)
            profile.update(json.loads(next(line for line in said if line.startswith('{"areas"'))))


def _answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return True
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    return False
