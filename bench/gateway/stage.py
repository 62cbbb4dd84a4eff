"""Everything that is measured, up and running: the upstream, the three proxies, and the auth service for the logins."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.children import ChildFailed
from bench.gateway import nginx
from bench.gateway.identity import ISSUER, Identity
from bench.gateway.processes import Running, running
from bench.server import bench_server

PATH = "/v1/wallets"
_NO_LIMIT = "100000000/60"
_CLASSES = ("sign_in", "login", "register", "public", "read", "write", "new_token")
_PEOPLE = 20
_PATIENCE_SECONDS = 60.0
_WAITING_SHARE = 0.95
_IN_FLIGHT = re.compile(r'^lendery_http_requests_in_flight{service="gateway"} ([0-9.]+)', re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """The proxies by name, who asks them, and people who can log in."""

    proxies: Mapping[str, Running]
    identity: Identity
    logins: Sequence[tuple[str, str]]

    @property
    def headers(self) -> Mapping[str, str]:
        """What to send, good for a quarter of an hour."""
        return {"Authorization": self.identity.authorization()}

    @contextmanager
    def people_logging_in(self, people: int) -> Iterator[dict[str, int]]:
        """While inside, so many logins wait at any time. Filled at the end with how many were answered and refused."""
        came_of_it: dict[str, int] = {}
        command = [sys.executable, "-m", "bench.gateway.logins"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            orders = {"port": self.proxies["gateway"].port, "people": people, "logins": self.logins}
            process.stdin.write(json.dumps(orders) + "\n")
            process.stdin.flush()
            if process.stdout.readline().strip() != "ready":
                raise ChildFailed("the logins did not start")
            self._until_waiting(people)
            yield came_of_it
            said, _ = process.communicate(timeout=_PATIENCE_SECONDS)
            came_of_it.update(json.loads(said))
        finally:
            process.kill()
            process.wait()

    def _until_waiting(self, people: int) -> None:
        """What is measured is people who wait, not that they all arrive in the same second. Some are answered meanwhile."""
        url = f"http://127.0.0.1:{self.proxies['gateway'].port}/metrics"
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            found = _IN_FLIGHT.search(httpx.get(url, timeout=_PATIENCE_SECONDS, trust_env=False).text)
            if found is not None and float(found[1]) >= _WAITING_SHARE * people:
                return
            time.sleep(0.1)
        raise ChildFailed("not everybody who logs in got as far as waiting for it")


@contextmanager
def stage(programs: Mapping[str, str], database_url: str | None, *, logins: bool) -> Iterator[Stage]:
    """Start everything; ended at the end. Raises `ChildFailed`."""
    identity = Identity()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lendery-bench-")))
        ports = dict(zip(("upstream", "nginx", "bare", "gateway", "auth"), _free_ports(5), strict=True))

        def start_nginx(name: str, configuration: str) -> Running:
            (home / name).mkdir()
            file = home / name / "nginx.conf"
            file.write_text(configuration)
            return stack.enter_context(
                running(name, [programs["nginx"], "-p", str(home / name), "-c", str(file)], ports[name], os.environ)
            )

        start_nginx("upstream", nginx.upstream_configuration(ports["upstream"], home / "upstream", identity.key_set))
        proxy = start_nginx("nginx", nginx.proxy_configuration(ports["nginx"], ports["upstream"], home / "nginx"))
        bare_orders = json.dumps({"port": ports["bare"], "upstream": f"http://127.0.0.1:{ports['upstream']}"})
        bare = [sys.executable, "-m", "bench.gateway.bare"]
        proxies = {
            "bare": stack.enter_context(running("bare", bare, ports["bare"], os.environ, orders=bare_orders)),
            "nginx": proxy,
        }
        environment = _environment(ports)
        people: list[tuple[str, str]] = []
        if logins:
            server = stack.enter_context(bench_server(database_url))
            # bench_server has put the prefix of its roles into our environment.
            environment |= {"DATABASE_URL": server.ledger_url, "LENDERY_DB_ROLE_PREFIX": os.environ["LENDERY_DB_ROLE_PREFIX"]}
            auth = [sys.executable, "-m", "runtime", "serve", "auth", "--role", "api", "--host", "127.0.0.1"]
            stack.enter_context(running("auth", [*auth, "--port", str(ports["auth"])], ports["auth"], environment))
            people = _register(ports["auth"])
        gateway = [sys.executable, "-m", "runtime", "serve", "gateway", "--host", "127.0.0.1", "--port", str(ports["gateway"])]
        proxies["gateway"] = stack.enter_context(running("gateway", gateway, ports["gateway"], environment))
        yield Stage(proxies, identity, people)


def _environment(ports: Mapping[str, int]) -> dict[str, str]:
    upstream = f"http://127.0.0.1:{ports['upstream']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LENDERY_")} | {
        "LENDERY_ENV": "local",
        "LENDERY_PUBLIC_URL": ISSUER,
        "LENDERY_JWKS_URL": f"{upstream}/.well-known/jwks.json",
        "LENDERY_AUTH_URL": f"http://127.0.0.1:{ports['auth']}",
        # Every client of a benchmark is the same person at the same address. The limits are counted all the same.
        "LENDERY_GATEWAY_LIMITS": ",".join(f"{name}={_NO_LIMIT}" for name in _CLASSES),
    }
    return environment | {f"LENDERY_{name}_URL": upstream for name in ("WALLET_LEDGER", "LENDING", "PAYMENTS", "NOTIFICATIONS")}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _register(port: int) -> list[tuple[str, str]]:
    mark = secrets.token_hex(4)
    people = [(f"bench-{mark}-{number}@lendery.test", f"bench {mark} {number} password") for number in range(_PEOPLE)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:
        for email, password in people:
            body = {"email": email, "password": password, "full_name": "Bench"}
            http.post("/v1/auth/register", json=body).raise_for_status()
    return people
