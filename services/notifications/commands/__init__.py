"""The write use cases of notifications."""
