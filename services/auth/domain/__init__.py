"""The rules of accounts, sessions and identity checks. Pure: time, ids and secrets come in as arguments."""
