"""Messages owned by wallet-ledger."""
