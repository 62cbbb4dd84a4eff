"""What must be there before the first request: a signing key and, outside production, an administrator.

Several replicas may start at once; the database lets one of them make what is missing.
"""

import base64
import hashlib
import json
from dataclasses import replace

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.auth.commands.tell_user import publish_registered
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM
from services.auth.domain.passwords import normalised
from services.auth.domain.user import new_user
from services.auth.store.signing_keys import SigningKey
from services.auth.store.users import Users
from shared.identity.tokens import ALGORITHM
from shared.ids import new_id


async def ensure_signing_key(context: Context) -> None:
    """Make the first key unless there is one that signs."""
    async with context.unit_of_work() as work:
        await work.signing_keys.lock()
        if any(key.retired_at is None for key in await work.signing_keys.published()):
            return
        private_key_pem, public_jwk = _new_key_pair()
        key = SigningKey(public_jwk["kid"], public_jwk, private_key_pem, created_at=work.now)
        await work.signing_keys.add(key)
        await work.audit("signing_key.created", origin=SYSTEM, actor_id=None, subject_id=None, after={"key_id": key.id})


async def ensure_admin(context: Context) -> None:
    """Make the first administrator, unless the account exists or no password was given."""
    password = context.settings.first_admin_password
    email = context.settings.admin_email.lower()
    if password is None:
        return
    async with context.read() as connection:
        if await Users(connection).find_by_email(email):
            return
    password_hash = await context.passwords.hash(normalised(password))
    async with context.unit_of_work() as work:
        admin = new_user(
            user_id=new_id(),
            email=email,
            password_hash=password_hash,
            full_name="Administrator",
            phone=None,
            home_currency=context.settings.home_currency,
            now=work.now,
        )
        admin = replace(admin.with_email_verified(work.now), roles=("admin", "user"))
        if await work.users.add_if_email_is_free(admin):
            publish_registered(work, admin, email_verified=True)
            await work.audit("user.bootstrapped", origin=SYSTEM, actor_id=None, subject_id=admin.id)


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
