"""The environment that `lendery up` gives its services: what a deployment's manifests would say."""

import base64
import hashlib
import os
from collections.abc import Mapping

from runtime.data_directory import DataDirectory
from runtime.services import SERVICES

_ENCRYPTION_KEY_ID = "local"


def defaults(data: DataDirectory, public_url: str) -> dict[str, str]:
    """Variables that the person who starts the platform may set otherwise. Secrets are made once and kept."""
    key = base64.urlsafe_b64encode(bytes.fromhex(data.secret("encryption_key"))).decode()
    return {
        "LENDERY_PUBLIC_URL": public_url,
        "LENDERY_ENCRYPTION_KEYS": f"{_ENCRYPTION_KEY_ID}:{key}",
        "LENDERY_LEDGER_CHECKPOINT_KEYS": checkpoint_keys(data),
        "LENDERY_SANDBOX_SECRET": data.secret("sandbox_secret"),
        "LENDERY_STORAGE_URL": data.files.as_uri(),
        # A laptop has one visitor: few connections are kept, each a process of PostgreSQL; more are opened when needed.
        "LENDERY_DB_POOL_SIZE": "1",
    }


def checkpoint_keys(data: DataDirectory) -> str:
    """The key that signs checkpoints of the ledger of this data directory; `lendery verify` needs it too."""
    seed = bytes.fromhex(data.secret("checkpoint_key"))
    return f"{hashlib.sha256(seed).hexdigest()[:12]}:{base64.urlsafe_b64encode(seed).decode()}"


def wiring(database_url: str, gateway_url: str, addresses: Mapping[str, str]) -> dict[str, str]:
    """Variables that follow from where things listen. `addresses` has every service and the mailbox, by name."""
    return {
        "DATABASE_URL": database_url,
        "LENDERY_JWKS_URL": f"{addresses['auth']}/.well-known/jwks.json",
        "LENDERY_SANDBOX_WEBHOOK_URL": f"{gateway_url}/v1/webhooks/sandbox",
        "LENDERY_MAILBOX_URL": addresses["mailbox"],
        **{entry.address_variable: addresses[entry.name] for entry in SERVICES},
    }


def apply(chosen: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    """Put both into this process's environment; what is there already wins over `defaults` only."""
    for name, value in defaults.items():
        if not os.environ.get(name):
            os.environ[name] = value
    os.environ.update(chosen)
