"""Messages owned by auth."""
