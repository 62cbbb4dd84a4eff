"""The HTTP side of auth: routes with their schemas, no logic."""
