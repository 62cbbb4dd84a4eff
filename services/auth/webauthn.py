"""WebAuthn (passkeys) through py_webauthn, which is loaded when it is first needed: few processes ever do.

Loading takes half a second: whoever is about to need it awaits `load` first, so that others need not wait.

Everything that a device or somebody in its place can get wrong ends as `Unacceptable`.
"""

import asyncio
import base64
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.auth.domain.passkey import Passkey

_TIMEOUT_MILLISECONDS = 300_000


async def load() -> None:
    """Have the library in memory; other requests go on meanwhile."""
    if "webauthn" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "webauthn")


class Unacceptable(Exception):
    """What a device answered is malformed, was made for another site or challenge, or is not signed by the key."""


@dataclass(frozen=True)
class NewCredential:
    """What a registration brought."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True)
class Assertion:
    """What a signature said besides."""

    sign_count: int
    backed_up: bool


def creation_options(
    site_id: str, challenge: bytes, *, user_id: bytes, email: str, full_name: str, known: Sequence[Passkey]
) -> dict[str, Any]:
    """What `navigator.credentials.create` wants: a discoverable key whose user is verified, on a device not yet `known`."""
    from webauthn import generate_registration_options
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=site_id,
        rp_name="Lendery",
        user_id=user_id,
        user_name=email,
        user_display_name=full_name,
        challenge=challenge,
        timeout=_TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(known),
    )
    return _plain(options)


def request_options(site_id: str, challenge: bytes, allowed: Sequence[Passkey]) -> dict[str, Any]:
    """What `navigator.credentials.get` wants; with none `allowed`, the person chooses a passkey of this site."""
    from webauthn import generate_authentication_options
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=site_id,
        challenge=challenge,
        timeout=_TIMEOUT_MILLISECONDS,
        allow_credentials=_descriptors(allowed) or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(options)


def verify_creation(credential: Mapping[str, Any], challenge: bytes, *, site_id: str, site_origin: str) -> NewCredential:
    """The credential that a device made. Raises `Unacceptable`."""
    from webauthn import verify_registration_response

    try:
        made = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site_id,
            expected_origin=site_origin,
            require_user_verification=True,
        )
        transports = credential["response"].get("transports") or []
        known = tuple(sorted({str(item)[:20] for item in transports}))[:8]
    except Exception as error:
        raise Unacceptable(str(error)) from error
    return NewCredential(made.credential_id, made.credential_public_key, made.sign_count, known, made.credential_backed_up)


def verify_assertion(
    credential: Mapping[str, Any], challenge: bytes, *, public_key: bytes, site_id: str, site_origin: str
) -> Assertion:
    """What a passkey signed. The counter is not judged here. Raises `Unacceptable`."""
    from webauthn import verify_authentication_response

    try:
        seen = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site_id,
            expected_origin=site_origin,
            credential_public_key=public_key,
            credential_current_sign_count=-1,
            require_user_verification=True,
        )
    except Exception as error:
        raise Unacceptable(str(error)) from error
    return Assertion(seen.new_sign_count, seen.credential_backed_up)


def challenge_in(credential: Mapping[str, Any]) -> bytes:
    """The challenge that an answer says it is for, by which ours is found; empty when it says none."""
    try:
        client_data = json.loads(_decoded(credential["response"]["clientDataJSON"]))
        return _decoded(client_data["challenge"])
    except Exception:
        return b""


def credential_id_in(credential: Mapping[str, Any]) -> bytes:
    """The credential that an answer says it is from; empty when it says none."""
    try:
        return _decoded(credential["rawId"])
    except Exception:
        return b""


def user_handle_in(credential: Mapping[str, Any]) -> bytes | None:
    """The account that the device keeps with the credential."""
    try:
        handle = credential["response"].get("userHandle")
        return _decoded(handle) if handle else None
    except Exception:
        return None


def _descriptors(passkeys: Sequence[Passkey]) -> list[Any]:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    named = {item.value: item for item in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id, transports=[named[item] for item in passkey.transports if item in named] or None
        )
        for passkey in passkeys
    ]


def _plain(options: Any) -> dict[str, Any]:
    from webauthn import options_to_json

    plain: dict[str, Any] = json.loads(options_to_json(options))
    return plain


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
