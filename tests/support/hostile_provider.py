"""An OpenID provider that lies: in what it signs, in what it publishes, and in how it answers."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from tests.support.platforms import free_port

CLIENT = {"client_id": "lendery", "client_secret": "only for tests"}
KEY = RSAKey.generate_key(2048, {"kid": "published", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "published", "use": "sig"})


class HostileProvider:
    """`claims`, `metadata` and `tokens` change what it says; `sign` how. Without any of them it is honest."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.nonce = ""
        self.verifier: str | None = None
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.user_info: dict[str, Any] | None = None
        self.sign = "RS256"
        self.token_answer: Response | None = None
        self.hangs = False

    def app(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._user_info),
            ]
        )

    async def _discovery(self, _: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
        }
        return JSONResponse(document | self.metadata)

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def _user_info(self, _: Request) -> Response:
        return JSONResponse(self.user_info or {})

    async def _token(self, request: Request) -> Response:
        self.verifier = str((await request.form())["code_verifier"])
        if self.hangs:
            await asyncio.sleep(60)
        if self.token_answer is not None:
            return self.token_answer
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()})

    def id_token(self) -> str:
        """The token, as told."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT["client_id"],
            "sub": "mallory",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "email": "amina@example.com",
            "email_verified": True,
            "at_hash": create_half_hash("at", "RS256").decode(),
        }
        claims = {name: value for name, value in (said | self.claims).items() if value is not None}
        payload = json.dumps(claims).encode()
        match self.sign:
            case "none":
                return f"{_encoded({'alg': 'none'})}.{_base64url(payload)}."
            case "HS256":  # with the public key as the secret
                signed = f"{_encoded({'alg': 'HS256', 'kid': 'published'})}.{_base64url(payload)}"
                return f"{signed}.{_base64url(hmac.digest(KEY.as_pem(private=False), signed.encode(), 'sha256'))}"
            case "unpublished":
                return jwt.encode({"alg": "RS256", "kid": "published"}, claims, OTHER_KEY)
            case "unknown kid":
                return jwt.encode({"alg": "RS256", "kid": "elsewhere"}, claims, OTHER_KEY)
            case "own jwk":
                header = {"alg": "RS256", "kid": "published", "jwk": OTHER_KEY.as_dict(private=False)}
                return jwt.encode(header, claims, OTHER_KEY)
            case "own jku":
                header = {"alg": "RS256", "kid": "published", "jku": f"{self.issuer}/elsewhere"}
                return jwt.encode(header, claims, OTHER_KEY)
            case _:
                return jwt.encode({"alg": "RS256", "kid": "published"}, claims, KEY)


def _encoded(header: dict[str, str]) -> str:
    return _base64url(json.dumps(header).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def huge() -> Response:
    """An answer far larger than any honest one."""
    return Response(b'{"access_token": "' + b"x" * 4_000_000 + b'"}', media_type="application/json")


@asynccontextmanager
async def running_hostile_provider() -> AsyncIterator[HostileProvider]:
    """The provider, listening on this machine."""
    port = free_port()
    provider = HostileProvider(f"http://127.0.0.1:{port}")
    config = Config(provider.app(), host="127.0.0.1", port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
