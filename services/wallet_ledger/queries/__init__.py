"""The service's reads, keyset-paged."""
