"""What payments has of a person: how it is exported and forgotten."""

import json
from typing import Any
from uuid import UUID

from services.payments.commands.add_payout_destination import saved_place
from services.payments.commands.request_withdrawal import destination_place
from shared.crypto import Vault
from shared.privacy import PersonalData, Row
from shared.problems import ServiceUnavailable


def _with_destination(row: Row, vault: Vault) -> Row:
    sealed = bytes(row.pop("destination_encrypted"))
    return row | {"destination": json.loads(vault.decrypt_text(sealed, aad=destination_place(row["id"]))) if sealed else None}


def _with_saved_destination(row: Row, vault: Vault) -> Row:
    sealed = bytes(row.pop("destination_encrypted"))
    return row | {"destination": json.loads(vault.decrypt_text(sealed, aad=saved_place(row["id"])))}


async def _no_withdrawal_left(work: Any, user_id: UUID) -> dict[str, int]:
    """One ordered while the other services were still being asked: without its destination its money would be held for ever.

    Raises `ServiceUnavailable`: nothing is forgotten yet, and payments is asked again.
    """
    query = "SELECT id FROM withdrawals WHERE user_id = $1 AND status IN ('pending', 'processing') LIMIT 1"
    if (await work.connection.exec_driver_sql(query, (user_id,))).first() is not None:
        raise ServiceUnavailable("A withdrawal of this person is under way.")
    return {}


PERSONAL_DATA = PersonalData(
    service="payments",
    exported={
        "wallets": "SELECT id, currency FROM wallets WHERE user_id = $1 ORDER BY id",
        "daily_limits": "SELECT level, deposits_major, withdrawals_major, changed_at FROM daily_limits WHERE user_id = $1",
        "deposits": """SELECT id, wallet_id, amount_minor, currency, provider, reference, status, provider_payment_id,
            failure_code, failure_reason, created_at, settled_at FROM deposits WHERE user_id = $1 ORDER BY id DESC""",
        "withdrawals": """SELECT id, wallet_id, amount_minor, currency, provider, destination_encrypted, reference, status,
            provider_payout_id, failure_code, failure_reason, created_at, settled_at
            FROM withdrawals WHERE user_id = $1 ORDER BY id DESC""",
        "payout_destinations": """SELECT id, provider, destination_encrypted, label, created_at, usable_from
            FROM payout_destinations WHERE user_id = $1 ORDER BY id DESC""",
    },
    opened={"withdrawals": _with_destination, "payout_destinations": _with_saved_destination},
    blocked_by={
        "deposit_open": """SELECT 'Your deposit ' || id || ' is ' || status || ': wait until it is settled or has expired.'
            FROM deposits WHERE user_id = $1 AND status IN ('pending', 'crediting') ORDER BY id""",
        "withdrawal_open": """SELECT 'Your withdrawal ' || id || ' is ' || status || ': wait until it is settled, or cancel it.'
            FROM withdrawals WHERE user_id = $1 AND status IN ('pending', 'processing') ORDER BY id""",
    },
    erased={
        "daily_limits": "DELETE FROM daily_limits WHERE user_id = $1",
        "payout_destinations": """UPDATE withdrawals SET destination_encrypted = ''::bytea, destination_masked = '{}'
            WHERE user_id = $1 AND destination_encrypted <> ''::bytea""",
        "saved_destinations": "DELETE FROM payout_destinations WHERE user_id = $1",
        "return_addresses": "UPDATE deposits SET return_url = NULL WHERE user_id = $1 AND return_url IS NOT NULL",
    },
    erased_last=_no_withdrawal_left,
    kept={
        "payments": "amount, instant, provider and its reference, by id: bookkeeping law, and disputes with the provider",
        "provider_records": "what providers told us about these payments, secrets removed: the same",
    },
)
