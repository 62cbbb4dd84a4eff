"""A key of the benchmark's own, the key set that the gateway fetches, and a token."""

import json
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk

from shared.identity.tokens import sign_token
from shared.ids import new_id

ISSUER = "http://localhost:8000"
_KEY_ID = "bench"
_GOOD_SECONDS = 900


class Identity:
    """Signs for one person."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._private_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public_pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        public = {**jwk.construct(public_pem.decode(), "ES256").to_dict(), "kid": _KEY_ID, "use": "sig"}
        self.key_set = json.dumps({"keys": [public]})

    def authorization(self) -> str:
        """The value of the header."""
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + _GOOD_SECONDS, "auth_time": now}
        ids = {"sub": str(new_id()), "jti": str(new_id()), "sid": str(new_id())}
        claims = {"iss": ISSUER, "aud": "lendery", "roles": ["user"], "email_verified": True} | times | ids
        return f"Bearer {sign_token(claims, private_key_pem=self._private_pem, key_id=_KEY_ID)}"
