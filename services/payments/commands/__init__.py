"""What can be done to deposits and withdrawals, one use case a file."""
