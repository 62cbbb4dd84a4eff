"""One OpenID provider: where it sends people, and who it says that came back."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.auth.domain.sign_on import ForeignIdentity, SignOnFailed, SignOnSecrets
from services.auth.providers.openid.fetching import fetch_json
from services.auth.providers.openid.id_token import UnknownKey, verified_claims
from services.auth.providers.openid.settings import OpenIdSettings, is_protected
from shared.clock import Clock
from shared.http.schemas import EmailAddress

_FRESH_SECONDS = 3600.0
_NEW_KEYS_SECONDS = 30.0
_RETRY_SECONDS = 5.0
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_EMAIL: TypeAdapter[str] = TypeAdapter(EmailAddress)
_MAX_NAME = 200


class OpenIdProvider:
    """Authorization code with PKCE (S256), state and nonce; the provider's metadata and keys are kept for an hour."""

    def __init__(self, settings: OpenIdSettings, *, redirect_uri: str, clock: Clock) -> None:
        self.settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._metadata: dict[str, Any] = {}
        self._metadata_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = SignOnFailed("provider_unavailable")
        self._jwks: dict[str, Any] = {}
        self._jwks_at = float("-inf")
        self._lock = asyncio.Lock()

    async def authorization_url(self, state: str, secrets: SignOnSecrets) -> str:
        """Where to send the browser. Raises `SignOnFailed`."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = await self._discovered()
        url: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.settings.client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self.settings.scopes,
            state=state,
            nonce=secrets.nonce,
            code_challenge=create_s256_code_challenge(secrets.verifier),
            code_challenge_method="S256",
        )
        return url

    async def identify(self, code: str, issuer: str | None, secrets: SignOnSecrets) -> ForeignIdentity:
        """Who came back with `code`. `issuer` is the `iss` of the answer (RFC 9207). Raises `SignOnFailed`."""
        metadata = await self._discovered()
        promised = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != self.settings.issuer and (issuer is not None or promised):
            raise SignOnFailed("provider_answer_invalid", "the answer is another issuer's")
        tokens = await self._exchange(metadata, code, secrets.verifier)
        claims = await self._claims(metadata, tokens, secrets.nonce)
        amr = claims.get("amr")  # of the ID token alone: what it says was signed for this very sign-on
        second_factor = self.settings.trusts_second_factor and isinstance(amr, list) and "mfa" in amr
        user_info = metadata.get("userinfo_endpoint")
        if "email" not in claims and isinstance(user_info, str) and is_protected(user_info):
            claims = await self._with_user_info(user_info, tokens, claims)
        return replace(self._identity(claims), second_factor=second_factor)

    async def _exchange(self, metadata: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
        client = (self.settings.client_id, self.settings.client_secret.get_secret_value())
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            return await fetch_json("POST", metadata["token_endpoint"], data=form, auth=client)
        form |= {"client_id": client[0], "client_secret": client[1]}
        return await fetch_json("POST", metadata["token_endpoint"], data=form)

    async def _claims(self, metadata: Mapping[str, Any], tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        try:
            return self._verified(await self._keys(metadata, _FRESH_SECONDS), tokens, nonce)
        except UnknownKey:
            pass
        try:
            return self._verified(await self._keys(metadata, _NEW_KEYS_SECONDS), tokens, nonce)
        except UnknownKey:
            raise SignOnFailed("provider_answer_invalid", "the ID token names a key that is not published") from None

    def _verified(self, jwks: Mapping[str, Any], tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        return verified_claims(
            tokens.get("id_token"),
            jwks,
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=nonce,
            access_token=tokens.get("access_token"),
            now=self._clock.now(),
        )

    async def _with_user_info(self, url: str, tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        said = await fetch_json("GET", url, headers={"Authorization": f"Bearer {tokens['access_token']}"})
        if said.get("sub") != claims["sub"]:
            raise SignOnFailed("provider_answer_invalid", "the user info is about somebody else")
        return {**said, **claims}

    def _identity(self, claims: Mapping[str, Any]) -> ForeignIdentity:
        try:
            email = _EMAIL.validate_python(claims.get("email"), strict=True)
        except ValidationError:
            raise SignOnFailed("email_missing", "there is no e-mail address") from None
        name = claims.get("name") if isinstance(claims.get("name"), str) else ""
        shown = "".join(letter for letter in str(name) if letter.isprintable())[:_MAX_NAME].strip()
        return ForeignIdentity(
            provider=self.settings.name,
            issuer=self.settings.issuer,
            subject=claims["sub"],
            email=email,
            # Some providers write the boolean as a word. Anything else is a no.
            email_verified=claims.get("email_verified") in (True, "true"),
            full_name=shown or email.partition("@")[0],
        )

    async def _discovered(self) -> Mapping[str, Any]:
        """The provider's metadata. Its issuer must be the one configured: one provider cannot speak for another."""
        async with self._lock:
            if time.monotonic() - self._metadata_at <= _FRESH_SECONDS:
                return self._metadata
            if time.monotonic() - self._failed_at <= _RETRY_SECONDS:
                raise SignOnFailed(self._failure.error, self._failure.why)
            try:
                self._metadata = await self._fetch_metadata()
            except SignOnFailed as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            self._metadata_at = time.monotonic()
        return self._metadata

    async def _fetch_metadata(self) -> dict[str, Any]:
        found = await fetch_json("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise SignOnFailed("provider_answer_invalid", "its metadata is another issuer's")
        for name in _NEEDED:
            if not isinstance(found.get(name), str) or not is_protected(found[name]):
                raise SignOnFailed("provider_answer_invalid", f"its metadata has no safe {name}")
        return found

    async def _keys(self, metadata: Mapping[str, Any], fresh_seconds: float) -> Mapping[str, Any]:
        async with self._lock:
            if time.monotonic() - self._jwks_at > fresh_seconds:
                self._jwks, self._jwks_at = await fetch_json("GET", metadata["jwks_uri"]), time.monotonic()
        return self._jwks
