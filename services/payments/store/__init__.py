"""What payments keeps in PostgreSQL."""
