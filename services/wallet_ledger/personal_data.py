"""What wallet-ledger has of a person: how it is exported and forgotten."""

from services.wallet_ledger.commands.suspend_wallets import close_wallets_of_erased
from shared.privacy import ROWS_MAX, PersonalData


def _side(side: str, signed: str) -> str:
    """Entries in which a wallet of the person is on this side."""
    return f"""(SELECT w.id AS wallet_id, x.id AS transaction_id, x.booked_at, coalesce(t.kind, x.kind) AS kind,
            coalesce(t.description, x.description) AS description, x.reference, t.currency,
            {signed}.amount_minor AS amount_minor, t.{side}_balance_after_minor AS balance_after_minor
        FROM wallets w
        JOIN transfers t ON t.{side}_account_id = w.account_id AND t.amount_minor > 0
        JOIN transactions x ON x.sequence = t.transaction_sequence
        WHERE w.user_id = $1 ORDER BY t.transaction_sequence DESC LIMIT {ROWS_MAX})"""  # noqa: S608 both are ours


PERSONAL_DATA = PersonalData(
    service="wallet_ledger",
    exported={
        "wallets": """SELECT w.id, w.currency, w.name, w.is_home, a.status, w.opened_at,
                a.credits_posted_minor - a.debits_posted_minor AS balance_minor, a.debits_pending_minor AS held_minor
            FROM wallets w JOIN accounts a ON a.id = w.account_id WHERE w.user_id = $1 ORDER BY w.id""",
        "entries": f"{_side('debit', '-t')} UNION ALL {_side('credit', 't')} ORDER BY booked_at DESC",
        "wallet_uses": "SELECT reference, currency, since FROM wallet_uses WHERE user_id = $1 ORDER BY since",
    },
    blocked_by={
        "wallet_not_empty": """SELECT 'Your wallet “' || w.name || '” has ' || w.currency
                || ' in it: withdraw it or send it to somebody first.'
            FROM wallets w JOIN accounts a ON a.id = w.account_id
            WHERE w.user_id = $1
                AND (a.credits_posted_minor, a.debits_pending_minor, a.credits_pending_minor) <> (a.debits_posted_minor, 0, 0)
            ORDER BY w.id""",
    },
    erased={
        "people": "UPDATE people SET email_hash = '', email_index = NULL, active = false WHERE user_id = $1",
        "wallets": "UPDATE wallets SET name = 'Erased' WHERE user_id = $1 AND name <> 'Erased'",
    },
    erased_last=close_wallets_of_erased,
    kept={
        "entries": "every posting with amounts, instants and descriptions, by the wallet's id: bookkeeping law, and the chain",
        "wallets": "closed; id, currency and whose id it was: what the entries refer to",
    },
)
