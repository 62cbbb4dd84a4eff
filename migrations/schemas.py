"""The schemas of the platform, and where the code declares their tables."""

import importlib

from sqlalchemy import MetaData

TABLES = {
    "auth": "services.auth.store.tables",
    "wallet_ledger": "services.wallet_ledger.store.tables",
    "lending": "services.lending.store.tables",
    "payments": "services.payments.store.tables",
    "notifications": "services.notifications.store.tables",
    "sandbox": "services.payments.providers.sandbox.server.tables",
}
SCHEMAS = tuple(TABLES)


def declared_tables() -> list[MetaData]:
    """The metadata of every schema, as the code declares it."""
    return [importlib.import_module(module).metadata for module in TABLES.values()]
