"""Messages owned by payments."""
