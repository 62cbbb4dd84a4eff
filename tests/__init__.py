"""Tests: unit (no I/O), service (one service, real PostgreSQL), contract, journeys (everything), architecture, faults."""
