"""Messages owned by lending."""
