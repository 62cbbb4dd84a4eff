"""Reads, keyset-paged."""
