"""What takes all services: a copy of everything about a person, and forgetting them."""
