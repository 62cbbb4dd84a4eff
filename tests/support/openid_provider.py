"""A real OpenID provider (Canaille) in a process of its own, and a person who signs on there with its forms.

`python -m tests.support.openid_provider PORT CALLBACK` serves it; everything is in memory and nothing leaves the machine.
"""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.support.platforms import free_port

CLIENT_ID = "lendery"
CLIENT_SECRET = "only-for-tests-" + "x" * 32
PASSWORD = "correct horse"
_READY_SECONDS = 60
_HTTP = {"trust_env": False, "timeout": 20.0}

PEOPLE = {
    "amina": ("Amina Wanjiru", "amina@example.com"),
    "baraka": ("Baraka Otieno", "baraka@example.com"),
}
UNVERIFIED = "baraka"
"""Whose address the provider does not say that it has verified."""


def main(port: int, callback: str) -> None:
    """Serve until the end of the process."""
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from werkzeug.serving import make_server

    verified = f"{{% if user.user_name != '{UNVERIFIED}' %}}true{{% endif %}}"
    app = create_app(
        config={
            "SECRET_KEY": "only for tests" * 4,
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {
                "DATABASE": "memory",
                "ACL": {"EVERYBODY": {"PERMISSIONS": ["use_oidc"]}},
                "JAVASCRIPT": False,
                "HTMX": False,
                "CAPTCHA_ENABLED": False,
            },
        }
    )
    app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = verified
    with app.app_context(), Backend.instance.session():
        for user_name, (full_name, email) in PEOPLE.items():
            Backend.instance.save(
                models.User(
                    user_name=user_name,
                    formatted_name=full_name,
                    family_name=full_name.split()[-1],
                    emails=[email],
                    password=PASSWORD,
                )
            )
        client = models.Client(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            client_name="Lendery",
            client_uri="http://127.0.0.1",  # trusted by its configuration: no page that asks for consent
            redirect_uris=[callback],
            grant_types=["authorization_code"],
            response_types=["code"],
            token_endpoint_auth_method="client_secret_basic",
            scope=["openid", "email", "profile"],
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    make_server("127.0.0.1", port, _one_at_a_time(app), threaded=True).serve_forever()


def _one_at_a_time(app: Any) -> Any:
    """What the provider keeps in memory is not made for several threads; a request is over only after its cleaning up."""
    lock = threading.Lock()

    def serve(environ: Any, start_response: Any) -> list[bytes]:
        with lock, closing(app(environ, start_response)) as body:
            return [b"".join(body)]

    return serve


@contextmanager
def running_provider(callback: str, log: Path) -> Iterator[str]:
    """The issuer of a provider that sends people back to `callback`."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.support.openid_provider", str(port), callback]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, f"the provider is not ready:\n{log.read_text()[-4000:]}"
            try:
                httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield issuer
    finally:
        process.terminate()
        process.wait()


async def sign_on(authorize_url: str, user_name: str, callback: str, password: str = PASSWORD) -> str:
    """Fill in the provider's forms as a browser does; the address that it sends the browser back to."""
    async with httpx.AsyncClient(**_HTTP) as browser:
        answer = await browser.get(authorize_url)
        for _ in range(12):
            location = answer.headers.get("location")
            if location is not None:
                if location.startswith(callback):
                    return str(location)
                answer = await browser.get(urljoin(str(answer.url), location))
                continue
            form = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"', answer.text))
            names = set(re.findall(r'<input[^>]*name="([^"]+)"', answer.text))
            form |= {name: value for name, value in (("login", user_name), ("password", password)) if name in names}
            assert form.keys() & {"login", "password"}, answer.text[-2000:]
            answer = await browser.post(str(answer.url), data=form)
    raise AssertionError("the provider's forms lead nowhere")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
