"""Routes and their schemas; no logic."""
