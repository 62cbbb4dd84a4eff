"""What deposits and withdrawals are and may do. Pure."""
