"""What can be read of deposits and withdrawals."""
