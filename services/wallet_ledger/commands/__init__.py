"""The service's write use cases, one a file."""
