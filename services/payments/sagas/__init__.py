"""Deposits and withdrawals across payments, the provider and the ledger, as tables of states."""
