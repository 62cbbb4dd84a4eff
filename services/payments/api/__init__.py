"""The HTTP surface of payments."""
