"""Signing keys: the first one, the next one on schedule or on demand, and the end of one that somebody may have stolen."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.auth.context import Context
from services.auth.domain.origin import SYSTEM, Origin
from services.auth.domain.problems import SigningKeyNotFound
from services.auth.domain.signing_keys import SigningKey, first_use, rotation_due, signing_key, spent, superseded
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.key_events import SigningKeyAdded, SigningKeyRevoked
from shared.identity.tokens import ALGORITHM


async def rotate_keys_on_schedule(context: Context) -> None:
    """Make the next key when its time has come, retire those that were superseded, and erase what signs no more.

    Several processes may do it at once; the database lets one of them make what is missing.
    """
    period = timedelta(days=context.settings.auth_signing_key_days)
    async with context.unit_of_work() as work:
        await work.signing_keys.lock()
        keys = await work.signing_keys.all()
        if rotation_due(keys, work.now, period):
            await _add(work, keys, SYSTEM, None, at_once=False)
        for key in superseded(keys, work.now):
            await work.signing_keys.save(replace(key, retired_at=work.now))
            await work.audit("signing_key.retired", origin=SYSTEM, actor_id=None, subject_id=None, after={"key_id": key.id})
        for key in spent(keys, work.now):
            await work.signing_keys.save(replace(key, private_key_pem=""))
    context.key_ring.forget()


async def rotate_keys(context: Context, origin: Origin, actor_id: UUID | None, *, at_once: bool = False) -> SigningKey:
    """The next key. It signs in ten minutes, or `at_once`; the present one goes on to verify until its tokens have expired."""
    async with context.unit_of_work() as work:
        await work.signing_keys.lock()
        key = await _add(work, await work.signing_keys.all(), origin, actor_id, at_once=at_once)
    context.key_ring.forget()
    return key


async def revoke_key(context: Context, key_id: str, reason: str, origin: Origin, actor_id: UUID | None) -> SigningKey:
    """End a key now, and with it every access token that it signed. Revoking it again changes nothing.

    Refresh tokens are not signed by it: they go on to work, and give tokens of another key, which is made if none is ready.
    Raises `SigningKeyNotFound`.
    """
    async with context.unit_of_work() as work:
        await work.signing_keys.lock()
        keys = await work.signing_keys.all()
        found = next((key for key in keys if key.id == key_id), None)
        if found is None:
            raise SigningKeyNotFound("`lendery keys list` shows the keys there are.")
        if found.revoked_at is not None:
            return found
        revoked = replace(found, private_key_pem="", revoked_at=work.now, revoke_reason=reason)
        await work.signing_keys.save(revoked)
        others = [key for key in keys if key.id != key_id]
        if signing_key(others, work.now) is None:
            await _add(work, others, origin, actor_id, at_once=True)
        work.outbox.publish(
            SigningKeyRevoked(key_id=key_id, revoked_at=work.now, reason=reason, revoked_by=actor_id), aggregate_id="signing_keys"
        )
        await work.audit(
            "signing_key.revoked",
            origin=origin,
            actor_id=actor_id,
            subject_id=None,
            after={"key_id": key_id, "reason": reason},
        )
    context.key_ring.revoke(key_id)
    return revoked


async def _add(
    work: AuthUnitOfWork, keys: Sequence[SigningKey], origin: Origin, actor_id: UUID | None, *, at_once: bool
) -> SigningKey:
    private_key_pem, public_jwk = _new_key_pair()
    activates_at = first_use(keys, work.now, at_once=at_once)
    key = SigningKey(public_jwk["kid"], public_jwk, private_key_pem, created_at=work.now, activates_at=activates_at)
    await work.signing_keys.add(key)
    work.outbox.publish(SigningKeyAdded(key_id=key.id, activates_at=activates_at), aggregate_id="signing_keys")
    await work.audit("signing_key.created", origin=origin, actor_id=actor_id, subject_id=None, after={"key_id": key.id})
    return key


def _new_key_pair() -> tuple[str, dict[str, str]]:
    """A private key as PEM, and its public half as a JWK whose `kid` is the thumbprint of RFC 7638."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    numbers = private.public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _base64url(numbers.x.to_bytes(32)), "y": _base64url(numbers.y.to_bytes(32))}
    thumbprint = hashlib.sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest()
    return pem, {**jwk, "kid": _base64url(thumbprint), "alg": ALGORITHM, "use": "sig"}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
