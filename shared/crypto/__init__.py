"""Encryption at rest: secrets and personal data leave the process only sealed, under keys that can be rotated."""

from shared.crypto.blind_index import BlindIndex
from shared.crypto.sealed_data import open_data, seal_data
from shared.crypto.vault import Undecryptable, Vault, open_vault

__all__ = ["BlindIndex", "Undecryptable", "Vault", "open_data", "open_vault", "seal_data"]
