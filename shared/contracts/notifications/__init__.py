"""Messages owned by notifications."""
