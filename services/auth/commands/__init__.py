"""Everything that changes accounts, sessions and identity checks, one use case a module."""
