"""The reads of notifications."""
