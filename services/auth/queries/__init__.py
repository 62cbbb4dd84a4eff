"""Reads of accounts, sessions, identity checks and the audit log."""
